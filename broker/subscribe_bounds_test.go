package broker

import (
	"bytes"
	"slices"
	"testing"

	"edged/test/await"
	"edged/test/rawmqtt"
)

// One SUBSCRIBE is answered filter by filter: those past max_subscriptions are refused, the same filter many times over too, and
// it brings its retained message once.
func TestOneSubscribeWithTooManyFilters(t *testing.T) {
	s := start(t, setup{cfg: func(c *Config) { c.MaxSubscriptions = 3 }})
	w, _ := rawmqtt.Login(t, s.addr, rawmqtt.Connect{ID: "c", V5: true})
	w.Publish(rawmqtt.Publish{Topic: "a", Payload: "kept", Retain: true})
	await.Soon(t, "it is retained", func() bool { return s.Status().Retained == 1 })
	var same, different []rawmqtt.Filter
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		same = append(same, rawmqtt.Filter{Name: "a"})
		different = append(different, rawmqtt.Filter{Name: name})
	}
	want := []byte{0, 0, 0, 0x97, 0x97}
	for _, filters := range [][]rawmqtt.Filter{same, different} {
		w.Send(rawmqtt.Subscription(true, 1, nil, filters...))
		if codes := w.Read().Codes(); !bytes.Equal(codes, want) {
			t.Errorf("%v: %X", filters, codes)
		}
		if m := w.Message(); m.Payload != "kept" || !m.Retain {
			t.Errorf("%+v", m)
		}
		w.Quiet()
	}
	three, _ := rawmqtt.Login(t, s.addr, rawmqtt.Connect{ID: "d"})
	three.Send(rawmqtt.Subscription(false, 1, nil, different...))
	if codes := three.Read().Codes(); !slices.Equal(codes, []byte{0, 0, 0, 0x80, 0x80}) {
		t.Errorf("3.1.1: %X", codes)
	}
	three.Message()
	three.Quiet()
}

// $share in whatever letters is the broker's: nobody subscribes to it in a way that means something else to the index, or publishes
// there. Other topics with a $ are like any, except that wildcards do not reach them.
func TestTopicsWithADollar(t *testing.T) {
	s := start(t, setup{})
	w, _ := rawmqtt.Login(t, s.addr, rawmqtt.Connect{ID: "c", V5: true})
	for _, filter := range []string{"$SHARE/x/y", "$Share/x/y", "$share", "$SHARE", "$SHARE/$x", "$share/$x", "$share/g/$share/x", "$share/g/$SHARE/g/x"} {
		if code := w.Subscribe(1, filter, 0); code != 0x8F {
			t.Errorf("filter %s: %02X", filter, code)
		}
	}
	for i, topic := range []string{"$share/x/y", "$SHARE/x/y", "$share", "$SHARE", "$SYS/x"} {
		w.Publish(rawmqtt.Publish{Topic: topic, QoS: 1, ID: uint16(i + 1)})
		if f := w.Read(); f.Kind != 0x40 || f.Code() != 0x90 {
			t.Errorf("topic %s: %v", topic, f)
		}
		will := rawmqtt.Dial(t, s.addr)
		if ack := will.Connect(rawmqtt.Connect{ID: "w", V5: true, Will: topic}); ack.Body[1] != 0x90 {
			t.Errorf("will to %s: %v", topic, ack)
		}
	}
	for _, filter := range []string{"#", "+", "$share/g/#", "$share/h/+"} {
		w.Subscribe(1, filter, 0)
	}
	will, _ := rawmqtt.Login(t, s.addr, rawmqtt.Connect{ID: "w", Will: "$x"})
	will.Drop()
	await.Soon(t, "it was published", func() bool { c, _ := s.sessions.count(); return c == 1 && s.deposits.bytes.Load() == 0 })
	w.Quiet()
	w.Subscribe(1, "$x", 0)
	will, _ = rawmqtt.Login(t, s.addr, rawmqtt.Connect{ID: "w", Will: "$x"})
	will.Drop()
	if m := w.Message(); m.Topic != "$x" || m.Payload != "gone" {
		t.Errorf("%+v", m)
	}
	if n := s.met.panics.Get(); n != 0 {
		t.Errorf("%d panics", n)
	}
}
