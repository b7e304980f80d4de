package intake

import (
	"errors"
	"testing"
)

// A client that begins publishes with QoS 2 and never releases them is stopped before it takes much memory, also over many
// connections; what it has begun it can finish.
func TestUnfinishedQoS2IsBounded(t *testing.T) {
	in := newIntake(roomy)
	in.ids.Store(manyIDs) // of other sessions
	s := in.NewSession("c")
	var err error
	n := 0
	for ; n < 10*fewIDs && err == nil; n++ {
		p := connect(s, n%2 == 0)
		err = p.link.Take(pub(uint16(n+1), 2))
		p.read()
	}
	if !errors.Is(err, ErrUnfinished) || n != fewIDs+1 {
		t.Fatalf("%v after %d", err, n)
	}
	p := connect(s, true)
	take(t, p, dup(pub(1, 2)))
	if err := p.link.Release(1); err != nil {
		t.Fatal(err)
	}
	take(t, p, pub(9999, 2)) // there is room again
	s.End()
	if got := in.ids.Load(); got != manyIDs {
		t.Errorf("%d are counted for a session that has ended", got-manyIDs)
	}
}
