package broker

import (
	"testing"

	"edged/test/await"
)

func TestSubscribersGetWhatIsDurable(t *testing.T) {
	r := &receiver{}
	s := start(t, setup{attach: handlers(r)})
	sub, _ := connect(t, s, opts{id: "sub"})
	sub.subscribe(1, "#", 2)
	pub, _ := connect(t, s, opts{id: "pub"})
	pub.publish(p{topic: "site/1", qos: 1, id: 1, payload: "one"}, p{topic: "site/1", qos: 2, id: 2, payload: "two"}, p{topic: "other", qos: 1, id: 3, payload: "three"},
		p{topic: "site/1", payload: "zero"})
	if m := sub.message(); m.payload != "zero" || m.qos != 0 {
		t.Fatalf("QoS 0 comes at once: %+v", m)
	}
	r.has(t, 3)
	sub.quiet()
	r.commit(nil)
	for i, want := range []string{"one", "two", "three"} {
		if m := sub.message(); m.payload != want || m.qos != []byte{1, 2, 1}[i] || m.retain || m.dup {
			t.Fatalf("%d: %+v", i, m)
		}
	}
}

func TestOverlappingSubscriptionsGiveOneCopy(t *testing.T) {
	s := start(t, setup{})
	w, _ := connect(t, s, opts{id: "c", v5: true})
	withID := func(id uint16, filter string, sub, options byte) {
		body := append([]byte{0, byte(id), 2, 0x0B, sub}, text(filter)...)
		w.send(packet(0x82, append(body, options)))
		w.acks(0x90, id)
	}
	withID(1, "a/+", 7, 0)
	withID(2, "a/b", 5, 1)
	pub, _ := connect(t, s, opts{id: "pub"})
	pub.publish(p{topic: "a/b", qos: 2, id: 1})
	m := w.message()
	if m.qos != 1 || m.props != "\x0B\x05\x0B\x07" {
		t.Fatalf("want one copy with the higher QoS and both identifiers: %+v", m)
	}
	w.quiet()
}

func TestNoLocalAndRetainAsPublished(t *testing.T) {
	s := start(t, setup{})
	for _, qos := range []byte{0, 1} {
		w, _ := connect(t, s, opts{id: "self", v5: true})
		w.subscribe(1, "a", qos|4)
		w.publish(p{topic: "a", qos: qos, id: uint16(qos)})
		if qos > 0 {
			w.acks(0x40, 1)
		}
		w.quiet()
		w.disconnect()
	}
	as, _ := connect(t, s, opts{id: "as", v5: true})
	as.subscribe(1, "b", 8)
	pub, _ := connect(t, s, opts{id: "pub"})
	pub.publish(p{topic: "b", qos: 1, id: 1, retain: true, payload: "x"})
	if m := as.message(); !m.retain {
		t.Fatalf("%+v", m)
	}
}

func TestSharedSubscriptionsGetOneCopyPerGroup(t *testing.T) {
	s := start(t, setup{})
	a, _ := connect(t, s, opts{id: "a", v5: true})
	b, _ := connect(t, s, opts{id: "b", v5: true})
	a.subscribe(1, "$share/g/t", 1)
	b.subscribe(1, "$share/g/t", 1)
	const n = 50
	for range n {
		if err := s.Publish(t.Context(), "t", nil, 1, false); err != nil {
			t.Fatal(err)
		}
	}
	await.Soon(t, "all are delivered", func() bool { return s.Status().Sent == n })
	got := 0
	for _, w := range []*peer{a, b} {
		w.send([]byte{0xC0, 0})
		for w.read().kind == 0x30 {
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
	o := opts{id: "sub", v5: true, keep: true, props: u32(0x11, 100)}
	w, _ := connect(t, s, o)
	w.subscribe(1, "a", 1)
	w.disconnect()
	await.Soon(t, "the broker notices", func() bool { return s.Status().Clients == 0 })
	pub, _ := connect(t, s, opts{id: "pub", v5: true})
	pub.publish(p{topic: "a", qos: 1, id: 1, payload: "short", props: u32(2, 1)}, p{topic: "a", qos: 1, id: 2, payload: "long", props: u32(2, 1000)})
	pub.acks(0x40, 1, 2)
	await.Soon(t, "both are queued", func() bool { return s.queued("sub") == 2 })
	short := s.sessions.get("sub").out.waiting.first().m
	await.Soon(t, "the short one expires", short.expired)
	w, _ = connect(t, s, o)
	m := w.message()
	if m.payload != "long" || m.props < string(u32(2, 900)) || m.props > string(u32(2, 1000)) {
		t.Fatalf("%+v", m)
	}
	w.quiet()
}

func TestTopicAliasesOfPublishers(t *testing.T) {
	r := commits(t)
	s := start(t, setup{attach: handlers(r)})
	sub, _ := connect(t, s, opts{id: "sub", v5: true, props: u16(0x22, 10)})
	sub.subscribe(1, "#", 0)
	w, _ := connect(t, s, opts{id: "c", v5: true})
	w.publish(p{topic: "site/1", props: u16(0x23, 16), payload: "a"}, p{props: u16(0x23, 16), payload: "b"})
	r.has(t, 2)
	if r.stored[1].Topic != "site/1" {
		t.Fatal(r.stored[1].Topic)
	}
	first, second := sub.message(), sub.message() // the subscriber's aliases are its own
	if first.topic != "site/1" || first.props != string(u16(0x23, 1)) || second.topic != "" || second.props != first.props {
		t.Fatalf("%+v %+v", first, second)
	}
	unknown, _ := connect(t, s, opts{id: "d", v5: true})
	unknown.publish(p{props: u16(0x23, 3)})
	if code := unknown.ended(); code != 0x82 {
		t.Fatalf("DISCONNECT %02X", code)
	}
	large, _ := connect(t, s, opts{id: "e", v5: true})
	large.publish(p{topic: "a", props: u16(0x23, 17)})
	if code := large.ended(); code != 0x94 {
		t.Fatalf("DISCONNECT %02X", code)
	}
}

func TestTopicsThatNobodyMayPublishTo(t *testing.T) {
	s := start(t, setup{cfg: func(c *Config) { c.MaxTopicLevels = 3 }})
	for i, topic := range []string{"a/b/c/d", "$SYS/x"} {
		w, _ := connect(t, s, opts{id: "five", v5: true})
		w.publish(p{topic: topic, qos: 1, id: 1}, p{topic: topic, qos: 2, id: 2}, p{topic: topic}, p{topic: "a/b/c", qos: 1, id: 3})
		for _, kind := range []byte{0x40, 0x50} {
			if f := w.read(); f.kind != kind || f.code() != 0x90 {
				t.Fatalf("%s: %v", topic, f)
			}
		}
		w.acks(0x40, 3)
		three, _ := connect(t, s, opts{id: "three"})
		three.publish(p{topic: topic, qos: 1, id: 1})
		three.ended()
		if n := s.met.badTopic.Get(); n != uint64(4*(i+1)) {
			t.Fatalf("%d refusals counted", n)
		}
	}
	w := dial(t, s)
	if ack := w.connect(opts{id: "will", v5: true, will: "a/b/c/d"}); ack.body[1] != 0x90 {
		t.Fatal(ack)
	}
	if err := s.Publish(t.Context(), "a/+", nil, 0, false); err == nil {
		t.Fatal("published to a wildcard")
	}
}
