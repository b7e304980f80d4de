package broker

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"edged/test/await"
	"edged/test/rawmqtt"

	"edged"

	paho "github.com/eclipse/paho.mqtt.golang"
)

func handlers(h edged.Handler) map[string]edged.Handler { return map[string]edged.Handler{"site/#": h} }

func TestARealClientIsAcknowledgedAfterTheCommit(t *testing.T) {
	for _, qos := range []byte{1, 2} {
		t.Run(fmt.Sprint("QoS ", qos), func(t *testing.T) {
			r := &receiver{}
			s := start(t, setup{attach: handlers(r)})
			o := paho.NewClientOptions().AddBroker("tcp://" + s.addr).SetClientID("c").SetAutoReconnect(false)
			c := paho.NewClient(o)
			if tok := c.Connect(); !tok.WaitTimeout(patient) || tok.Error() != nil {
				t.Fatal(tok.Error())
			}
			defer c.Disconnect(0)
			tok := c.Publish("site/7", qos, false, "x")
			r.has(t, 1)
			await.Soon(t, "it waits for its acknowledgement", func() bool { return s.Status().AcksPending == 1 })
			select {
			case <-tok.Done():
				t.Fatal("acknowledged before the commit")
			default:
			}
			r.commit(nil)
			if !tok.WaitTimeout(patient) || tok.Error() != nil {
				t.Fatal("not acknowledged after the commit")
			}
			if want := (edged.Origin{}); qos == 1 && r.stored[0].Origin != want || qos == 2 && r.stored[0].Origin.Client != "c" {
				t.Fatalf("%+v", r.stored[0])
			}
		})
	}
}

func TestPipelinedPublishesShareOneCommitAndOneWrite(t *testing.T) {
	for _, v5 := range []bool{false, true} {
		t.Run(fmt.Sprint("v5 ", v5), func(t *testing.T) {
			r := &receiver{}
			s := start(t, setup{attach: handlers(r)})
			w, _ := connect(t, s, rawmqtt.Connect{ID: "c", V5: v5})
			var ms []rawmqtt.Publish
			for id := range uint16(100) {
				topic := "site/1"
				if id%10 == 9 {
					topic = "other" // nobody wants it: acknowledged after those before it
				}
				ms = append(ms, rawmqtt.Publish{Topic: topic, QoS: 1, ID: id + 1})
			}
			w.Publish(ms...)
			r.has(t, 90)
			w.Quiet()
			r.commit(nil)
			buf := make([]byte, 1000)
			_ = w.SetReadDeadline(time.Now().Add(patient))
			n, err := w.Conn.Read(buf)
			if err != nil || n != 400 {
				t.Fatalf("%d bytes in the first read, want 100 acknowledgements in one write: %v", n, err)
			}
			for i := range 100 {
				if buf[4*i] != 0x40 || int(buf[4*i+3]) != i+1 {
					t.Fatalf("acknowledgement %d is %X", i, buf[4*i:4*i+4])
				}
			}
		})
	}
}

func TestQoS2IsTakenOnce(t *testing.T) {
	for _, v5 := range []bool{false, true} {
		t.Run(fmt.Sprint("v5 ", v5), func(t *testing.T) {
			r := commits(t)
			s := start(t, setup{attach: handlers(r)})
			w, _ := connect(t, s, rawmqtt.Connect{ID: "c", V5: v5})
			w.Publish(rawmqtt.Publish{Topic: "site/1", QoS: 2, ID: 3, Payload: "a"})
			w.Acks(0x50, 3)
			w.Publish(rawmqtt.Publish{Topic: "site/1", QoS: 2, ID: 3, Payload: "a", Dup: true})
			w.Acks(0x50, 3)
			w.Ack(0x62, 3)
			w.Acks(0x70, 3)
			w.Ack(0x62, 3) // not known any more
			if f := w.Read(); f.Kind != 0x70 || v5 && f.Code() != 0x92 || !v5 && len(f.Body) != 2 {
				t.Fatal(f)
			}
			w.Publish(rawmqtt.Publish{Topic: "site/1", QoS: 2, ID: 3, Payload: "b"})
			w.Acks(0x50, 3)
			r.has(t, 2)
			if o := r.stored[1].Origin; o != (edged.Origin{Client: "c", PacketID: 3}) {
				t.Fatal(o)
			}
		})
	}
}

func TestAFailedCommitIsNotAcknowledged(t *testing.T) {
	r := &receiver{}
	s := start(t, setup{attach: handlers(r)})
	five, _ := connect(t, s, rawmqtt.Connect{ID: "five", V5: true})
	three, _ := connect(t, s, rawmqtt.Connect{ID: "three"})
	five.Publish(rawmqtt.Publish{Topic: "site/1", QoS: 1, ID: 1})
	three.Publish(rawmqtt.Publish{Topic: "site/1", QoS: 1, ID: 1})
	r.has(t, 2)
	r.commit(fmt.Errorf("wrapped: %w", edged.ErrFull))
	if f := five.Read(); f.Kind != 0x40 || f.Code() != 0x97 {
		t.Fatal(f)
	}
	three.Ended()
	five.Publish(rawmqtt.Publish{Topic: "site/1", QoS: 2, ID: 2})
	r.has(t, 3)
	r.commit(errors.New("EIO"))
	if code := five.Ended(); code != 0x80 {
		t.Fatalf("DISCONNECT %02X", code)
	}
	if st := s.Status(); st.Refused != 3 || st.AcksPending != 0 {
		t.Fatalf("%+v", st)
	}
}

func TestNoRoomInTime(t *testing.T) {
	t.Parallel()
	r := &receiver{refuse: func(ctx context.Context) error { <-ctx.Done(); return edged.ErrFull }}
	s := start(t, setup{attach: handlers(r)})
	// A keepalive of 4 s gives a patience of 1.6 s: well before the client would miss the answer to its PINGREQ.
	five, _ := connect(t, s, rawmqtt.Connect{ID: "five", V5: true, Keepalive: 4})
	began := time.Now()
	five.Publish(rawmqtt.Publish{Topic: "site/1", QoS: 1, ID: 1})
	if f := five.Read(); f.Kind != 0x40 || f.Code() != 0x97 {
		t.Fatal(f)
	}
	if d := time.Since(began); d > patient/2 {
		t.Fatalf("answered after %v, with a keepalive of 4 s", d)
	}
	five.Quiet()
	three, _ := connect(t, s, rawmqtt.Connect{ID: "three", Keepalive: 1})
	three.Publish(rawmqtt.Publish{Topic: "site/1", QoS: 1, ID: 1})
	three.Ended()
	await.Soon(t, "it is logged", func() bool { return s.log.Count("no room for its publishes") > 0 })
}

func TestAStoppingReceiverLeavesTheMessageWithItsPublisher(t *testing.T) {
	r := &receiver{refuse: func(context.Context) error { return edged.ErrStopped }}
	before := &receiver{}
	s := start(t, setup{attach: map[string]edged.Handler{"site/#": r, "early": before}})
	w, _ := connect(t, s, rawmqtt.Connect{ID: "c", V5: true})
	w.Publish(rawmqtt.Publish{Topic: "early", QoS: 1, ID: 1}, rawmqtt.Publish{Topic: "site/1", QoS: 1, ID: 2}, rawmqtt.Publish{Topic: "early", QoS: 1, ID: 3})
	before.has(t, 1)
	before.commit(nil)
	w.Acks(0x40, 1) // what was taken before is acknowledged, and nothing after it
	other, _ := connect(t, s, rawmqtt.Connect{ID: "d"})
	other.Publish(rawmqtt.Publish{Topic: "early", QoS: 1, ID: 1})
	before.has(t, 2)
	before.commit(nil)
	other.Acks(0x40, 1)
	if f, err := w.TryRead(time.Millisecond); err == nil {
		t.Fatalf("%v", f)
	}
}

func TestReceiveMaximumIsKept(t *testing.T) {
	r := &receiver{}
	s := start(t, setup{attach: handlers(r), cfg: func(c *Config) { c.MaxInflight = 3 }})
	w, _ := connect(t, s, rawmqtt.Connect{ID: "c", V5: true})
	for id := uint16(1); id <= 4; id++ {
		w.Publish(rawmqtt.Publish{Topic: "site/1", QoS: 1, ID: id})
	}
	if code := w.Ended(); code != 0x93 {
		t.Fatalf("DISCONNECT %02X, want 93", code)
	}
	r.has(t, 3)
	three, _ := connect(t, s, rawmqtt.Connect{ID: "d"})
	for id := uint16(1); id <= 100; id++ {
		three.Publish(rawmqtt.Publish{Topic: "site/1", QoS: 1, ID: id})
	}
	r.has(t, 103)
	r.commit(nil)
	three.Acks(0x40, 1, 2, 3)
}

func TestReceiveMaximumCountsAcksThatLeft(t *testing.T) {
	r := commits(t)
	s := start(t, setup{attach: handlers(r), cfg: func(c *Config) { c.MaxInflight = 2 }})
	w, _ := connect(t, s, rawmqtt.Connect{ID: "c", V5: true})
	w.Publish(rawmqtt.Publish{Topic: "site/1", QoS: 1, ID: 1}, rawmqtt.Publish{Topic: "site/1", QoS: 1, ID: 2})
	for id := uint16(3); id < 2000; id++ { // always as many as are allowed, never more
		w.Acks(0x40, id-2)
		w.Publish(rawmqtt.Publish{Topic: "site/1", QoS: 1, ID: id})
	}
}
