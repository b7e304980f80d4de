package intake

import "testing"

// torn begins to write the acknowledgement of publish 1 on a connection that another one takes over meanwhile.
func torn(t *testing.T, s *Session, r *receiver, qos byte) (a, b *peer) {
	a = connect(s, false)
	take(t, a, pub(1, qos, r))
	r.commit(1, nil)
	if got := a.link.Collect(nil); len(got) != 4 {
		t.Fatal(got)
	}
	return a, connect(s, false)
}

// The new connection has finished with the identifier when the old one learns that its acknowledgement never left. The next
// message that has it must not be taken for the old one, even if its first PUBLISH gets lost.
func TestALateWriteDoesNotBringAnIdentifierBack(t *testing.T) {
	for _, qos := range []byte{1, 2} {
		for _, gone := range []bool{false, true} {
			s, r := newIntake(roomy).NewSession("c"), &receiver{}
			a, b := torn(t, s, r, qos)
			take(t, b, dup(pub(1, qos, r)))
			r.commit(1, nil)
			if got := b.read(); len(got) != 1 {
				t.Fatal(got)
			}
			if qos == 2 {
				if err := b.link.Release(1); err != nil {
					t.Fatal(err)
				}
				b.read()
			}
			if gone {
				b.link.Close()
			}
			a.link.Written(0)
			before := r.count()
			c := connect(s, false)
			take(t, c, dup(pub(1, qos, r))) // another message
			if r.count() != before+1 {
				t.Errorf("QoS %d: a message is not stored", qos)
			}
			if got := c.read(); len(got) > 0 {
				t.Errorf("QoS %d: acknowledged unstored: %v", qos, got)
			}
		}
	}
}

// Until the new connection has published, what the old one could not write is owed.
func TestALateWriteIsOwedToAConnectionThatHasNotPublished(t *testing.T) {
	for _, qos := range []byte{1, 2} {
		s, r := newIntake(roomy).NewSession("c"), &receiver{}
		a, b := torn(t, s, r, qos)
		a.link.Written(3)
		take(t, b, dup(pub(1, qos, r)))
		if got := b.read(); len(got) != 1 || r.count() != 1 {
			t.Errorf("QoS %d: %v, stored %d times", qos, got, r.count())
		}
	}
}

// A refusal uses an identifier as well.
func TestALateWriteAfterARefusal(t *testing.T) {
	s, r := newIntake(roomy).NewSession("c"), &receiver{}
	a, _ := torn(t, s, r, 1)
	b := connect(s, true)
	if err := b.link.Refuse(pub(1, 1), 0x90); err != nil {
		t.Fatal(err)
	}
	b.read()
	a.link.Written(0)
	take(t, b, dup(pub(1, 1, r)))
	if r.count() != 2 {
		t.Error("a message is not stored")
	}
}
