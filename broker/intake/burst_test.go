package intake

import "testing"

// A connection that is idle after a burst does not keep the memory of the burst.
func TestABurstLeavesNothingBehind(t *testing.T) {
	in := newIntake(Limits{Inflight: 100, Pending: 10_000, Bytes: 1 << 20, Total: 1 << 30})
	s, r := in.NewSession("c"), &receiver{}
	p := connect(s, false)
	for _, qos := range []byte{1, 2} {
		for id := range uint16(9000) {
			take(t, p, pub(id+1, qos, r))
		}
		r.commit(9000, nil)
		if got := p.read(); len(got) != 9000 {
			t.Fatal(len(got))
		}
		if qos == 2 {
			for id := range uint16(9000) {
				if err := p.link.Release(id + 1); err != nil {
					t.Fatal(err)
				}
			}
			p.read()
		}
		p.read()
		if len(s.line.ring) > large || cap(s.due) > large || cap(p.link.sent) > large || len(s.ids.slots) > 2*large {
			t.Errorf("QoS %d: memory for %d entries, %d and %d acknowledgements, %d identifiers", qos, len(s.line.ring), cap(s.due), cap(p.link.sent), len(s.ids.slots))
		}
		take(t, p, pub(1, 1, r))
		r.commit(1, nil)
		ids(t, p.read(), puback, 1)
	}
}
