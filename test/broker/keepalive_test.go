package broker

import (
	"testing"
	"time"

	"edged/test/rawmqtt"
)

// inTime checks that a silent connection with a keep-alive of 1 s has just ended after 1.5 s or not much later. Mosquitto counts in whole seconds.
func inTime(t *testing.T, silent time.Time) {
	t.Helper()
	low, high := 1400*time.Millisecond, 15*time.Second // a busy machine comes late
	if foreign() {
		low = 500 * time.Millisecond
	}
	if d := time.Since(silent); d < low || d > high {
		t.Errorf("it ended after %v", d)
	}
}

func TestKeepAlive(t *testing.T) {
	shows(t, "v3:MQTT-3.1.2-24", "v5:MQTT-3.1.2-22", "v5:MQTT-3.2.2-22")
	both(t, func(t *testing.T, v5 bool) {
		w := login(t, rawmqtt.Connect{V5: v5, Keepalive: 1})
		for range 4 { // 1.2 s apart: within 1.5 times the keep-alive
			time.Sleep(1200 * time.Millisecond)
			w.Quiet()
		}
		silent := time.Now()
		violated(t, w, 0x8D)
		inTime(t, silent)
	})
}

func TestAnyPacketKeepsAlive(t *testing.T) {
	shows(t, "v3:MQTT-3.1.2-24", "v5:MQTT-3.1.2-22")
	both(t, func(t *testing.T, v5 bool) {
		w, topic := login(t, rawmqtt.Connect{V5: v5, Keepalive: 1}), fresh()
		for range 3 {
			time.Sleep(1200 * time.Millisecond)
			w.Publish(rawmqtt.Publish{Topic: topic})
		}
		w.Quiet()
		// What the broker sends does not count.
		granted(t, w, topic, 0, 0)
		p := client(t, v5)
		stop, stopped := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(stopped)
			for {
				select {
				case <-stop:
					return
				case <-time.After(200 * time.Millisecond):
					_, _ = p.Write(rawmqtt.Publish{Topic: topic, Payload: "x"}.Bytes(v5))
				}
			}
		}()
		silent := time.Now()
		frames, _ := w.Rest()
		close(stop)
		<-stopped
		if inTime(t, silent); len(frames) == 0 {
			t.Error("the broker sent nothing meanwhile")
		}
	})
}

// A packet that takes its time keeps the connection: what counts is that the client says anything.
func TestAnyByteKeepsAlive(t *testing.T) {
	shows(t)
	decided(t)
	both(t, func(t *testing.T, v5 bool) {
		w, topic := login(t, rawmqtt.Connect{V5: v5, Keepalive: 1}), fresh()
		granted(t, w, topic, 0, 0)
		b := rawmqtt.Publish{Topic: topic, Payload: "slow"}.Bytes(v5)
		for _, part := range [][]byte{b[:1], b[1:2], b[2:9], b[9:]} {
			time.Sleep(1200 * time.Millisecond)
			w.Send(part)
		}
		next(t, w, topic, "slow", 0)
	})
}

// Large values do not wrap around, and 0 means none.
func TestLongKeepAlives(t *testing.T) {
	shows(t, "v3:MQTT-3.1.2-24", "v5:MQTT-3.1.2-22", "v5:MQTT-3.2.2-22")
	both(t, func(t *testing.T, v5 bool) {
		var ws []*rawmqtt.Client
		for _, seconds := range []uint16{0, 30, 43690, 43691, 43692, 65535} {
			w := dial(t)
			ack := w.Connect(rawmqtt.Connect{V5: v5, ID: fresh(), Keepalive: seconds})
			told, tells := properties(t, ack).Int(0x13)
			switch {
			case !v5 || foreign():
			case seconds == 30 && tells && told != 30:
				t.Errorf("asked for 30, told %d", told)
			case seconds != 30 && told != 3600:
				t.Errorf("asked for %d, told %d", seconds, told)
			}
			ws = append(ws, w)
		}
		time.Sleep(2500 * time.Millisecond)
		for _, w := range ws {
			w.Quiet()
		}
	})
}
