package intake

import (
	"slices"
	"testing"

	"edged"
)

func TestAcknowledgementsComeInPublishOrderAfterTheCommit(t *testing.T) {
	s, r := newIntake(roomy).NewSession("c"), &receiver{}
	p := connect(s, false)
	// 2 goes to nobody, 4 is QoS 2.
	take(t, p, pub(1, 1, r), pub(2, 1), pub(3, 1, r), pub(4, 2, r))
	if got := p.read(); len(got) != 0 {
		t.Fatalf("acknowledged before the commit: %v", got)
	}
	r.commit(1, nil)
	ids(t, p.read(), puback, 1, 2)
	r.commit(9, nil)
	got := p.read()
	if !slices.Equal(got, []packet{{puback, 3, 0}, {pubrec, 4, 0}}) {
		t.Fatal(got)
	}
}

func TestOneCommitWakesTheConnectionOnce(t *testing.T) {
	s, r := newIntake(roomy).NewSession("c"), &receiver{}
	p := connect(s, false)
	for id := range uint16(50) {
		take(t, p, pub(id+1, 1, r))
	}
	p.woken = 0
	r.commit(50, nil)
	if p.woken != 1 || len(p.read()) != 50 {
		t.Fatalf("woken %d times", p.woken)
	}
}

func TestSeveralReceiversAreAllWaitedFor(t *testing.T) {
	s, a, b := newIntake(roomy).NewSession("c"), &receiver{}, &receiver{}
	p := connect(s, false)
	take(t, p, pub(1, 1, a, b), pub(2, 1, b))
	b.commit(2, nil)
	if got := p.read(); len(got) != 0 {
		t.Fatalf("acknowledged although one receiver has not stored it: %v", got)
	}
	a.commit(1, nil)
	ids(t, p.read(), puback, 1, 2)
}

type change struct{ done func(error) }

func (c *change) Retain(done func(error)) { c.done = done }

func TestARetainedChangeIsWaitedForAndKeepsTheOrder(t *testing.T) {
	s, r := newIntake(roomy).NewSession("c"), &receiver{}
	p := connect(s, false)
	var seen []string
	c := &change{}
	first := pub(1, 1, r)
	first.Retained, first.After = c, delivery{"first", &seen}
	second := pub(2, 1)
	second.After = delivery{"second", &seen}
	take(t, p, first, second)
	r.commit(1, nil)
	if len(p.read()) != 0 || len(seen) != 0 {
		t.Fatalf("delivered before the retained change was durable: %v", seen)
	}
	c.done(nil)
	ids(t, p.read(), puback, 1, 2)
	if !slices.Equal(seen, []string{"first", "second"}) {
		t.Fatal(seen)
	}
}

func TestQoS0PassesUnlessQoS0Waits(t *testing.T) {
	s, r := newIntake(roomy).NewSession("c"), &receiver{}
	p := connect(s, false)
	take(t, p, pub(1, 1, r))
	if s.Behind() {
		t.Fatal("QoS 0 need not wait behind QoS 1")
	}
	c := &change{}
	retained := pub(0, 0, r)
	retained.Retained = c
	take(t, p, retained)
	if !s.Behind() {
		t.Fatal("QoS 0 must wait behind a retained QoS 0")
	}
	r.commit(9, nil)
	c.done(nil)
	if s.Behind() {
		t.Fatal("nothing waits any more")
	}
	if err := p.link.Offer(pub(0, 0, r)); err != nil || r.count() != 3 {
		t.Fatal(err, r.count())
	}
	ids(t, p.read(), puback, 1)
}

func TestQoS2CarriesItsOriginAndEndsWithPubcomp(t *testing.T) {
	s, r := newIntake(roomy).NewSession("c"), &receiver{}
	p := connect(s, true)
	x := pub(7, 2, r)
	x.Origin = edged.Origin{Client: "c", PacketID: 7}
	take(t, p, x)
	r.commit(1, nil)
	ids(t, p.read(), pubrec, 7)
	if r.stored[0].Origin != x.Origin {
		t.Fatal("the block does not know where it came from")
	}
	take(t, p, dup(pub(7, 2, r))) // PUBREC was lost
	ids(t, p.read(), pubrec, 7)
	if err := p.link.Release(7); err != nil {
		t.Fatal(err)
	}
	ids(t, p.read(), pubcomp, 7)
	if err := p.link.Release(7); err != nil {
		t.Fatal(err)
	}
	if got := p.read(); !slices.Equal(got, []packet{{pubcomp, 7, CodeNotFound}}) {
		t.Fatal(got)
	}
	take(t, p, dup(pub(7, 2, r))) // the identifier was free: this is a message that never arrived
	r.commit(1, nil)
	if n := r.count(); n != 2 {
		t.Fatalf("stored %d, want 2", n)
	}
}
