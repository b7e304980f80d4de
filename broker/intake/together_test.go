package intake

import (
	"context"
	"errors"
	"testing"

	"edged"
)

// several are publishes with QoS 1 that came together.
func several(r *receiver, from, n uint16) (ms []edged.Message, ids []uint16) {
	for id := from; id < from+n; id++ {
		ms, ids = append(ms, pub(id, 1, r).Message), append(ids, id)
	}
	return ms, ids
}

// What the line has no room for is left to Take, and costs nothing until then.
func TestTogetherAsManyAsThereIsRoomFor(t *testing.T) {
	for v5, want := range map[bool]int{true: 3, false: 5} {
		in, r := newIntake(Limits{Inflight: 3, Pending: 5, Bytes: 1 << 20, Total: 1 << 30}), &receiver{ready: 10}
		s := in.NewSession("c")
		p := connect(s, v5)
		ms, ids1 := several(r, 1, 8)
		n, err := p.link.TakeTogether(r, ms, ids1)
		if n != want || err != nil || r.count() != want || in.Pending() != int64(want) || in.Received() != uint64(want) {
			t.Fatalf("v5 %v: %d were taken, %v; the receiver has %d, %d are pending, %d received", v5, n, err, r.count(), in.Pending(), in.Received())
		}
		if n, err := p.link.TakeTogether(r, ms[want:], ids1[want:]); n != 0 || err != nil {
			t.Fatalf("v5 %v: %d more were taken, %v", v5, n, err)
		}
		r.commit(10, nil)
		ids(t, p.read(), puback, ids1[:want]...)
		if in.Pending() != 0 {
			t.Fatalf("%d are pending in the end", in.Pending())
		}
	}
}

// A receiver takes some and fails one: those are acknowledged, with MQTT 5 the failed one is refused in its turn; with 3.1.1 nothing after it is taken, and
// the connection ends.
func TestTogetherAndOneFails(t *testing.T) {
	for _, v5 := range []bool{true, false} {
		in, r := newIntake(roomy), &receiver{ready: 2}
		s := in.NewSession("c")
		p := connect(s, v5)
		calls := 0
		r.refuse = func(context.Context) error {
			if calls++; calls == 4 {
				return edged.ErrFull
			}
			return nil
		}
		ms, all := several(r, 1, 6)
		n, err := p.link.TakeTogether(r, ms, all)
		if n != 6 || (err == nil) != v5 || !v5 && !errors.Is(err, ErrNotInTime) {
			t.Fatalf("v5 %v: %d, %v", v5, n, err)
		}
		stored := map[bool]int{true: 5, false: 3}[v5]
		if r.count() != stored {
			t.Fatalf("v5 %v: the receiver has %d", v5, r.count())
		}
		r.commit(10, nil)
		got := p.read()
		ids(t, got[:3], puback, 1, 2, 3)
		switch {
		case !v5 && len(got) != 3:
			t.Fatalf("acknowledged: %v", got)
		case v5:
			if len(got) != 6 || got[3] != (packet{puback, 4, CodeQuota}) {
				t.Fatalf("acknowledged: %v", got)
			}
			ids(t, got[4:], puback, 5, 6)
		}
		if in.Pending() != 0 || s.ids.len() != 0 {
			t.Fatalf("v5 %v: %d are pending, %d identifiers are remembered", v5, in.Pending(), s.ids.len())
		}
	}
}

func TestTogetherAfterTheStop(t *testing.T) {
	in, r := newIntake(roomy), &receiver{ready: 10}
	p := connect(in.NewSession("c"), true)
	ms, all := several(r, 1, 3)
	in.Stop()
	if n, err := p.link.TakeTogether(r, ms, all); n != 0 || err != nil || r.count() != 0 || in.Pending() != 0 {
		t.Fatalf("%d, %v; the receiver has %d, %d are pending", n, err, r.count(), in.Pending())
	}
	if n := p.link.OfferTogether(r, ms); n != 0 || r.count() != 0 {
		t.Fatalf("%d, the receiver has %d", n, r.count())
	}
}
