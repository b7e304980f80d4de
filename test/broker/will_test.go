package broker

import (
	"testing"
	"time"

	"edged/test/rawmqtt"
)

// dying is a client with a will, and a subscriber to it.
func dying(t *testing.T, o rawmqtt.Connect) (w, sub *rawmqtt.Client) {
	t.Helper()
	if o.Will == "" {
		o.Will = fresh()
	}
	if o.ID == "" {
		o.ID = fresh()
	}
	sub = client(t, true)
	granted(t, sub, o.Will, 2|8, 2)
	granted(t, sub, o.Will+"/end", 2, 2)
	return login(t, o), sub
}

// nothing checks that no will has come, nor comes before a message that is published now.
func nothing(t *testing.T, sub *rawmqtt.Client, topic string) {
	t.Helper()
	says2(t, topic+"/end", "end")
	m := next(t, sub, topic+"/end", "end", 2)
	sub.Ack(0x50, m.ID)
	sub.Acks(0x62, m.ID)
	sub.Ack(0x70, m.ID)
}

func TestWills(t *testing.T) {
	shows(t, "v3:MQTT-3.1.2-8", "v3:MQTT-3.1.2-10", "v3:MQTT-3.1.2-16", "v3:MQTT-3.1.2-17", "v3:MQTT-3.1.3-1", "v5:MQTT-3.1.2-7", "v5:MQTT-3.1.2-8", "v5:MQTT-3.1.2-10",
		"v5:MQTT-3.1.2-14", "v5:MQTT-3.1.2-15", "v5:MQTT-3.1.3-1")
	both(t, func(t *testing.T, v5 bool) {
		for qos := range byte(3) {
			for _, retain := range []bool{false, true} {
				// Every field of a CONNECT is there, in its order; user and password only make the order tell.
				o := rawmqtt.Connect{V5: v5, Will: fresh(), WillPayload: "gone", WillQoS: qos, WillRetain: retain, User: "me", Password: "secret"}
				w, sub := dying(t, o)
				nothing(t, sub, o.Will)
				_ = w.Close()
				if m := next(t, sub, o.Will, "gone", qos); m.Retain != retain || m.Dup {
					t.Errorf("the will is %+v", m)
				}
				if r := retained(t, o.Will); (r != "") != retain {
					t.Errorf("a will with retain %v leaves %q", retain, r)
				}
				nothing(t, sub, o.Will) // it came once
			}
		}
	})
}

func TestDisconnectRemovesTheWill(t *testing.T) {
	shows(t, "v3:MQTT-3.14.4-3", "v3:MQTT-3.1.2-8", "v3:MQTT-3.1.2-10", "v3:MQTT-3.1.2-12", "v5:MQTT-3.14.4-3", "v5:MQTT-3.1.2-8", "v5:MQTT-3.1.2-10")
	both(t, func(t *testing.T, v5 bool) {
		o := rawmqtt.Connect{V5: v5, Will: fresh(), WillQoS: 2, ID: fresh()}
		w, sub := dying(t, o)
		w.Disconnect()
		nothing(t, sub, o.Will)
		if v5 {
			w, _ = resume(t, o)
			w.Send([]byte{0xE0, 1, 0}) // 0x00 in so many words
			w.Ended()
			nothing(t, sub, o.Will)
		}
		plain := o
		plain.Will = ""
		_ = login(t, plain).Close() // a will is of one connection
		nothing(t, sub, o.Will)
	})
}

func TestWhatPublishesAWill(t *testing.T) {
	shows(t, "v3:MQTT-3.1.2-8", "v5:MQTT-3.1.2-8")
	both(t, func(t *testing.T, v5 bool) {
		for name, end := range map[string]func(w *rawmqtt.Client, o rawmqtt.Connect){
			"a malformed packet": func(w *rawmqtt.Client, _ rawmqtt.Connect) { w.Send([]byte{0x36, 0}); w.Ended() },
			"a takeover":         func(w *rawmqtt.Client, o rawmqtt.Connect) { o.Will = ""; login(t, o).Quiet() },
			"keep-alive":         func(w *rawmqtt.Client, o rawmqtt.Connect) { w.Ended() },
			"DISCONNECT 0x04": func(w *rawmqtt.Client, o rawmqtt.Connect) {
				if !v5 {
					_ = w.Close()
					return
				}
				w.Send([]byte{0xE0, 1, 4})
				w.Ended()
			},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				o := rawmqtt.Connect{V5: v5, Will: fresh(), WillQoS: 1, ID: fresh()}
				if name == "keep-alive" {
					o.Keepalive = 1
				}
				w, sub := dying(t, o)
				end(w, o)
				next(t, sub, o.Will, "gone", 1)
			})
		}
	})
}

func TestWillDelay(t *testing.T) {
	shows(t, "v5:MQTT-3.1.2-8", "v5:MQTT-3.1.3-9")
	delayed := func(seconds uint32) rawmqtt.Connect {
		o := keeping(true, fresh())
		o.Will, o.WillQoS, o.WillProps = fresh(), 2, rawmqtt.U32(0x18, seconds)
		return o
	}
	t.Run("passes", func(t *testing.T) {
		t.Parallel()
		o := delayed(5)
		w, sub := dying(t, o)
		closed := time.Now()
		_ = w.Close()
		nothing(t, sub, o.Will)
		next(t, sub, o.Will, "gone", 2)
		if d := time.Since(closed); d < 4900*time.Millisecond || d > 30*time.Second {
			t.Errorf("after %v", d)
		}
	})
	t.Run("is cut short by a return", func(t *testing.T) {
		t.Parallel()
		o := delayed(5)
		w, sub := dying(t, o)
		_ = w.Close()
		nothing(t, sub, o.Will)
		back := o
		back.Will = ""
		login(t, back)
		time.Sleep(6500 * time.Millisecond)
		nothing(t, sub, o.Will)
	})
	t.Run("ends with the session", func(t *testing.T) {
		t.Parallel()
		o := delayed(600)
		o.Props = nil // which ends with the connection
		w, sub := dying(t, o)
		_ = w.Close()
		next(t, sub, o.Will, "gone", 2)
	})
	t.Run("ends with the session that a clean start discards", func(t *testing.T) {
		t.Parallel()
		o := delayed(600)
		w, sub := dying(t, o)
		_ = w.Close()
		nothing(t, sub, o.Will)
		clean := o
		clean.Keep, clean.Will = false, ""
		login(t, clean)
		next(t, sub, o.Will, "gone", 2)
	})
}

func TestWillProperties(t *testing.T) {
	shows(t, "v5:MQTT-3.1.3-10", "v5:MQTT-3.3.2-4", "v5:MQTT-3.3.2-15", "v5:MQTT-3.3.2-16", "v5:MQTT-3.3.2-20")
	given := forwarded()
	o := rawmqtt.Connect{V5: true, Will: fresh(), WillProps: given}
	w, sub := dying(t, o)
	_ = w.Close()
	m := next(t, sub, o.Will, "gone", 0)
	same(t, []byte(m.Props), given)
}

func TestMalformedWills(t *testing.T) {
	shows(t, "v3:MQTT-3.1.4-1", "v5:MQTT-3.1.4-1")
	both(t, func(t *testing.T, v5 bool) {
		for _, topic := range []string{"", "a/+", "#"} {
			will := str(topic) + str("gone")
			if v5 {
				will = "\x00" + will
			}
			refused(t, v5, connection(v5, 2|4, nil, str(fresh()), will), either(v5, 0x81, 0x82, 0x90)...)
		}
	})
}
