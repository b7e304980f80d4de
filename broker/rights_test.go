package broker

import (
	"testing"

	"edged/test/await"
	"edged/test/rawmqtt"
)

func reloadRules(t *testing.T, s *server, dir, rules string) {
	t.Helper()
	setRules(t, dir, rules)
	if err := s.ReloadRules(); err != nil {
		t.Fatal(err)
	}
}

// A filter that overlaps what a client may read is accepted; of the retained messages it brings only those that it may read.
func TestRetainedMessagesAreReadOnlyByThoseWhoMay(t *testing.T) {
	_, cfg := files(t, nil, "topic write #\ntopic read a/open\n")
	s := start(t, setup{cfg: cfg})
	w, _ := rawmqtt.Login(t, s.addr, rawmqtt.Connect{ID: "c", V5: true})
	w.Publish(rawmqtt.Publish{Topic: "a/open", Payload: "o", Retain: true}, rawmqtt.Publish{Topic: "a/closed", Payload: "c", Retain: true})
	await.Soon(t, "they are retained", func() bool { return s.Status().Retained == 2 })
	for _, filter := range []string{"a/#", "a/+", "#"} {
		if code := w.Subscribe(1, filter, 0); code != 0 {
			t.Fatalf("%s: %02X", filter, code)
		}
		if m := w.Message(); m.Topic != "a/open" {
			t.Errorf("%s: %+v", filter, m)
		}
		w.Quiet()
	}
}

// A will is published with the rights that its client has then, and not with those of its CONNECT.
func TestAWillThatIsNotAllowedAnyMoreIsDropped(t *testing.T) {
	dir, cfg := files(t, nil, "topic readwrite #\n")
	r := commits(t)
	s := start(t, setup{cfg: cfg, attach: handlers(r)})
	sub, _ := rawmqtt.Login(t, s.addr, rawmqtt.Connect{ID: "sub"})
	sub.Subscribe(1, "#", 0)
	w, _ := rawmqtt.Login(t, s.addr, rawmqtt.Connect{ID: "c", Will: "site/1", WillQoS: 1, WillRetain: true})
	before := s.deposits.bytes.Load()
	reloadRules(t, s, dir, "topic read #\n")
	w.Drop()
	await.Soon(t, "the will was dealt with", func() bool { return s.deposits.bytes.Load() < before })
	sub.Quiet()
	if n := s.Status(); n.Denied != 1 || n.Retained != 0 || r.count() != 0 {
		t.Errorf("%d denied, %d retained, %d stored", n.Denied, n.Retained, r.count())
	}
	await.Soon(t, "it is said", func() bool { return s.log.Count("the will of a client was dropped") == 1 })
}

// What waits for a client, or was sent to it and not acknowledged, is not sent once it may not read it any more.
func TestWhatWaitsIsSentOnlyToThoseWhoStillMayReadIt(t *testing.T) {
	dir, cfg := files(t, nil, "topic readwrite #\n")
	s := start(t, setup{cfg: cfg})
	o := rawmqtt.Connect{ID: "c", V5: true, Keep: true, Props: append(rawmqtt.U32(0x11, 100), rawmqtt.U16(0x21, 2)...)}
	w, _ := rawmqtt.Login(t, s.addr, o)
	w.Subscribe(1, "a/#", 1)
	for _, topic := range []string{"a/closed", "a/open", "a/closed", "a/open", "a/closed"} {
		if err := s.Publish(t.Context(), topic, []byte("x"), 1, false); err != nil {
			t.Fatal(err)
		}
	}
	w.Message() // two are in flight
	w.Message()
	await.Soon(t, "three wait", func() bool { return s.queued("c") == 5 })
	w.Disconnect()
	await.Soon(t, "it is away", func() bool { return s.Status().Clients == 0 })
	reloadRules(t, s, dir, "topic readwrite a/open\n")
	w, _ = rawmqtt.Login(t, s.addr, o)
	for i := range 2 {
		m := w.Message()
		if m.Topic != "a/open" || m.Dup != (i == 0) {
			t.Errorf("%d: %+v", i, m)
		}
		w.Ack(0x40, m.ID)
	}
	w.Quiet()
	if n := s.Status().Denied; n != 3 {
		t.Errorf("%d are counted", n)
	}
	if n := s.Broker.queued.Load(); n != 0 {
		t.Errorf("%d bytes are still counted", n)
	}
}
