package broker

import (
	"testing"

	"edged/test/await"
	"edged/test/rawmqtt"
)

func TestSubscribersGetWhatIsDurable(t *testing.T) {
	r := &receiver{}
	s := start(t, setup{attach: handlers(r)})
	sub, _ := connect(t, s, rawmqtt.Connect{ID: "sub"})
	sub.Subscribe(1, "#", 2)
	pub, _ := connect(t, s, rawmqtt.Connect{ID: "pub"})
	pub.Publish(rawmqtt.Publish{Topic: "site/1", QoS: 1, ID: 1, Payload: "one"}, rawmqtt.Publish{Topic: "site/1", QoS: 2, ID: 2, Payload: "two"},
		rawmqtt.Publish{Topic: "other", QoS: 1, ID: 3, Payload: "three"},
		rawmqtt.Publish{Topic: "site/1", Payload: "zero"})
	if m := sub.Message(); m.Payload != "zero" || m.QoS != 0 {
		t.Fatalf("QoS 0 comes at once: %+v", m)
	}
	r.has(t, 3)
	sub.Quiet()
	r.commit(nil)
	for i, want := range []string{"one", "two", "three"} {
		if m := sub.Message(); m.Payload != want || m.QoS != []byte{1, 2, 1}[i] || m.Retain || m.Dup {
			t.Fatalf("%d: %+v", i, m)
		}
	}
}

func TestOverlappingSubscriptionsGiveOneCopy(t *testing.T) {
	s := start(t, setup{})
	w, _ := connect(t, s, rawmqtt.Connect{ID: "c", V5: true})
	withID := func(id uint16, filter string, sub, options byte) {
		body := append([]byte{0, byte(id), 2, 0x0B, sub}, rawmqtt.Text(filter)...)
		w.Send(rawmqtt.Packet(0x82, append(body, options)))
		w.Acks(0x90, id)
	}
	withID(1, "a/+", 7, 0)
	withID(2, "a/b", 5, 1)
	pub, _ := connect(t, s, rawmqtt.Connect{ID: "pub"})
	pub.Publish(rawmqtt.Publish{Topic: "a/b", QoS: 2, ID: 1})
	m := w.Message()
	if m.QoS != 1 || m.Props != "\x0B\x05\x0B\x07" {
		t.Fatalf("want one copy with the higher QoS and both identifiers: %+v", m)
	}
	w.Quiet()
}

func TestNoLocalAndRetainAsPublished(t *testing.T) {
	s := start(t, setup{})
	for _, qos := range []byte{0, 1} {
		w, _ := connect(t, s, rawmqtt.Connect{ID: "self", V5: true})
		w.Subscribe(1, "a", qos|4)
		w.Publish(rawmqtt.Publish{Topic: "a", QoS: qos, ID: uint16(qos)})
		if qos > 0 {
			w.Acks(0x40, 1)
		}
		w.Quiet()
		w.Disconnect()
	}
	as, _ := connect(t, s, rawmqtt.Connect{ID: "as", V5: true})
	as.Subscribe(1, "b", 8)
	pub, _ := connect(t, s, rawmqtt.Connect{ID: "pub"})
	pub.Publish(rawmqtt.Publish{Topic: "b", QoS: 1, ID: 1, Retain: true, Payload: "x"})
	if m := as.Message(); !m.Retain {
		t.Fatalf("%+v", m)
	}
}

func TestSharedSubscriptionsGetOneCopyPerGroup(t *testing.T) {
	s := start(t, setup{})
	a, _ := connect(t, s, rawmqtt.Connect{ID: "a", V5: true})
	b, _ := connect(t, s, rawmqtt.Connect{ID: "b", V5: true})
	a.Subscribe(1, "$share/g/t", 1)
	b.Subscribe(1, "$share/g/t", 1)
	const n = 50
	for range n {
		if err := s.Publish(t.Context(), "t", nil, 1, false); err != nil {
			t.Fatal(err)
		}
	}
	await.Soon(t, "all are delivered", func() bool { return s.Status().Sent == n })
	got := 0
	for _, w := range []*rawmqtt.Client{a, b} {
		w.Send([]byte{0xC0, 0})
		for w.Read().Kind == 0x30 {
			got++
		}
	}
	if got != n {
		t.Fatalf("%d copies of %d messages", got, n)
	}
}

func TestMessagesExpire(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	o := rawmqtt.Connect{ID: "sub", V5: true, Keep: true, Props: rawmqtt.U32(0x11, 100)}
	w, _ := connect(t, s, o)
	w.Subscribe(1, "a", 1)
	w.Disconnect()
	await.Soon(t, "the broker notices", func() bool { return s.Status().Clients == 0 })
	pub, _ := connect(t, s, rawmqtt.Connect{ID: "pub", V5: true})
	pub.Publish(rawmqtt.Publish{Topic: "a", QoS: 1, ID: 1, Payload: "short", Props: rawmqtt.U32(2, 1)},
		rawmqtt.Publish{Topic: "a", QoS: 1, ID: 2, Payload: "long", Props: rawmqtt.U32(2, 1000)})
	pub.Acks(0x40, 1, 2)
	await.Soon(t, "both are queued", func() bool { return s.queued("sub") == 2 })
	short := s.sessions.get("sub").out.waiting.first().m
	await.Soon(t, "the short one expires", short.expired)
	w, _ = connect(t, s, o)
	m := w.Message()
	if m.Payload != "long" || m.Props < string(rawmqtt.U32(2, 900)) || m.Props > string(rawmqtt.U32(2, 1000)) {
		t.Fatalf("%+v", m)
	}
	w.Quiet()
}

func TestTopicAliasesOfPublishers(t *testing.T) {
	r := commits(t)
	s := start(t, setup{attach: handlers(r)})
	sub, _ := connect(t, s, rawmqtt.Connect{ID: "sub", V5: true, Props: rawmqtt.U16(0x22, 10)})
	sub.Subscribe(1, "#", 0)
	w, _ := connect(t, s, rawmqtt.Connect{ID: "c", V5: true})
	w.Publish(rawmqtt.Publish{Topic: "site/1", Props: rawmqtt.U16(0x23, 16), Payload: "a"}, rawmqtt.Publish{Props: rawmqtt.U16(0x23, 16), Payload: "b"})
	r.has(t, 2)
	if r.stored[1].Topic != "site/1" {
		t.Fatal(r.stored[1].Topic)
	}
	first, second := sub.Message(), sub.Message() // the subscriber's aliases are its own
	if first.Topic != "site/1" || first.Props != string(rawmqtt.U16(0x23, 1)) || second.Topic != "" || second.Props != first.Props {
		t.Fatalf("%+v %+v", first, second)
	}
	unknown, _ := connect(t, s, rawmqtt.Connect{ID: "d", V5: true})
	unknown.Publish(rawmqtt.Publish{Props: rawmqtt.U16(0x23, 3)})
	if code := unknown.Ended(); code != 0x82 {
		t.Fatalf("DISCONNECT %02X", code)
	}
	large, _ := connect(t, s, rawmqtt.Connect{ID: "e", V5: true})
	large.Publish(rawmqtt.Publish{Topic: "a", Props: rawmqtt.U16(0x23, 17)})
	if code := large.Ended(); code != 0x94 {
		t.Fatalf("DISCONNECT %02X", code)
	}
}

func TestTopicsThatNobodyMayPublishTo(t *testing.T) {
	s := start(t, setup{cfg: func(c *Config) { c.MaxTopicLevels = 3 }})
	for i, topic := range []string{"a/b/c/d", "$SYS/x"} {
		w, _ := connect(t, s, rawmqtt.Connect{ID: "five", V5: true})
		w.Publish(rawmqtt.Publish{Topic: topic, QoS: 1, ID: 1}, rawmqtt.Publish{Topic: topic, QoS: 2, ID: 2}, rawmqtt.Publish{Topic: topic},
			rawmqtt.Publish{Topic: "a/b/c", QoS: 1, ID: 3})
		for _, kind := range []byte{0x40, 0x50} {
			if f := w.Read(); f.Kind != kind || f.Code() != 0x90 {
				t.Fatalf("%s: %v", topic, f)
			}
		}
		w.Acks(0x40, 3)
		three, _ := connect(t, s, rawmqtt.Connect{ID: "three"})
		three.Publish(rawmqtt.Publish{Topic: topic, QoS: 1, ID: 1})
		three.Ended()
		if n := s.met.badTopic.Get(); n != uint64(4*(i+1)) {
			t.Fatalf("%d refusals counted", n)
		}
	}
	w := dial(t, s)
	if ack := w.Connect(rawmqtt.Connect{ID: "will", V5: true, Will: "a/b/c/d"}); ack.Body[1] != 0x90 {
		t.Fatal(ack)
	}
	if err := s.Publish(t.Context(), "a/+", nil, 0, false); err == nil {
		t.Fatal("published to a wildcard")
	}
}
