package intake

import (
	"slices"
	"testing"
)

func TestARepeatOfAPendingPublishIsAcknowledgedOnTheNewConnectionAndStoredOnce(t *testing.T) {
	in := newIntake(roomy)
	s, r := in.NewSession("c"), &receiver{}
	a := connect(s, false)
	take(t, a, pub(1, 1, r), pub(2, 1, r))
	a.link.Close()
	b := connect(s, false)
	take(t, b, dup(pub(1, 1, r)), dup(pub(2, 1, r)), pub(3, 1, r))
	r.commit(3, nil)
	if got := a.read(); len(got) != 0 {
		t.Fatalf("acknowledged on the old connection: %v", got)
	}
	ids(t, b.read(), puback, 1, 2, 3)
	if n := r.count(); n != 3 {
		t.Fatalf("stored %d, want 3", n)
	}
	if in.Pending() != 0 || in.Duplicates() != 2 {
		t.Fatal(in.Pending(), in.Duplicates())
	}
}

func TestADurablePublishWhoseAckNeverLeftIsAcknowledgedAndNotStoredAgain(t *testing.T) {
	s, r := newIntake(roomy).NewSession("c"), &receiver{}
	a := connect(s, false)
	take(t, a, pub(1, 1, r), pub(2, 2, r))
	a.link.Close()
	r.commit(2, nil) // while the client is away
	b := connect(s, false)
	take(t, b, dup(pub(1, 1, r)), dup(pub(2, 2, r)))
	if got := b.read(); !slices.Equal(got, []packet{{puback, 1, 0}, {pubrec, 2, 0}}) {
		t.Fatal(got)
	}
	if n := r.count(); n != 2 {
		t.Fatalf("stored %d, want 2", n)
	}
}

func TestAfterThePubackMayHaveLeftTheIdentifierIsANewMessage(t *testing.T) {
	s, r := newIntake(roomy).NewSession("c"), &receiver{}
	a := connect(s, false)
	take(t, a, pub(1, 1, r))
	r.commit(1, nil)
	a.read()
	a.link.Close()
	b := connect(s, false)
	take(t, b, dup(pub(1, 1, r))) // may be another message that used the identifier and was lost
	if n := r.count(); n != 2 {
		t.Fatal("a message was swallowed")
	}
	r.commit(1, nil)
	ids(t, b.read(), puback, 1)
}

func TestAcknowledgementsBehindATornWriteAreOwed(t *testing.T) {
	s, r := newIntake(roomy).NewSession("c"), &receiver{}
	a := connect(s, false)
	take(t, a, pub(1, 1, r), pub(2, 1, r), pub(3, 2, r))
	r.commit(3, nil)
	ids(t, a.readUpTo(6), puback, 1) // 2 was cut in the middle
	a.link.Close()
	b := connect(s, false)
	take(t, b, dup(pub(1, 1, r)), dup(pub(2, 1, r)), dup(pub(3, 2, r)))
	if n := r.count(); n != 4 {
		t.Fatalf("stored %d, want 4: only the first one's acknowledgement left", n)
	}
	r.commit(1, nil)
	if got := b.read(); !slices.Equal(got, []packet{{puback, 1, 0}, {puback, 2, 0}, {pubrec, 3, 0}}) {
		t.Fatal(got)
	}
}

func TestDup0SupersedesAStaleIdentifier(t *testing.T) {
	s, r := newIntake(roomy).NewSession("c"), &receiver{}
	a := connect(s, false)
	take(t, a, pub(1, 1, r), pub(2, 2, r))
	a.link.Close()
	r.commit(2, nil)
	b := connect(s, false)
	take(t, b, pub(1, 1, r), pub(2, 2, r))
	if n := r.count(); n != 4 {
		t.Fatalf("stored %d, want 4", n)
	}
	if got := b.read(); len(got) != 0 {
		t.Fatalf("acknowledged by what came before: %v", got)
	}
	r.commit(2, nil)
	if got := b.read(); !slices.Equal(got, []packet{{puback, 1, 0}, {pubrec, 2, 0}}) {
		t.Fatal(got)
	}
}

func TestACleanStartForgetsTheIdentifiers(t *testing.T) {
	in := newIntake(roomy)
	s, r := in.NewSession("c"), &receiver{}
	a := connect(s, false)
	take(t, a, pub(1, 1, r))
	s.End()
	fresh := in.NewSession("c")
	b := connect(fresh, false)
	take(t, b, dup(pub(1, 1, r)))
	r.commit(2, nil)
	if len(a.read()) != 0 || r.count() != 2 {
		t.Fatal("the new session knows the old one's identifiers")
	}
	ids(t, b.read(), puback, 1)
	if in.Pending() != 0 {
		t.Fatal(in.Pending())
	}
}

func TestARepeatOnTheSameConnectionIsAcknowledgedTwiceAndStoredOnce(t *testing.T) {
	s, r := newIntake(roomy).NewSession("c"), &receiver{}
	p := connect(s, false)
	take(t, p, pub(1, 1, r), dup(pub(1, 1, r)), pub(2, 1, r))
	r.commit(2, nil)
	ids(t, p.read(), puback, 1, 1, 2)
	if r.count() != 2 {
		t.Fatal(r.count())
	}
}

func TestATakenOverConnectionTakesNothingMore(t *testing.T) {
	s, r := newIntake(roomy).NewSession("c"), &receiver{}
	a := connect(s, false)
	b := connect(s, false)
	if err := a.link.Take(pub(1, 1, r)); err != ErrClosed || r.count() != 0 {
		t.Fatal(err, r.count())
	}
	take(t, b, pub(1, 1, r))
	r.commit(1, nil)
	ids(t, b.read(), puback, 1)
}
