package intake

import (
	"testing"
	"testing/synctest"
)

// Refusals take memory like any acknowledgement until their client reads them.
func TestRefusalsCountAgainstTheReceiveMaximum(t *testing.T) {
	in := newIntake(Limits{Inflight: 3, Pending: 1000, Bytes: 1 << 20, Total: 1 << 30})
	p := connect(in.NewSession("c"), true)
	for id := range uint16(3) {
		if err := p.link.Refuse(pub(id+1, 1+byte(id%2)), 0x90); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.link.Refuse(pub(4, 1), 0x90); err != ErrReceiveMaximum {
		t.Fatal(err)
	}
	if got := p.read(); len(got) != 3 || got[1] != (packet{pubrec, 2, 0x90}) {
		t.Fatal(got)
	}
	if err := p.link.Refuse(pub(4, 1), 0x90); err != nil { // a refusal gives its place back, also PUBREC
		t.Fatal(err)
	}
	p.read()
	if in.Pending() != 0 {
		t.Fatal(in.Pending())
	}
}

func TestRefusalsWaitForAClientThatDoesNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := newIntake(Limits{Inflight: 10, Pending: 4, Bytes: 1 << 20, Total: 1 << 30})
		p := connect(in.NewSession("c"), true)
		refuse := func(id uint16) error { return p.link.Refuse(pub(id, 1), 0x90) }
		for id := range uint16(4) {
			if err := refuse(id + 1); err != nil {
				t.Fatal(err)
			}
		}
		done := make(chan error, 1)
		go func() { done <- refuse(5) }()
		synctest.Wait()
		if len(done) > 0 {
			t.Fatal("a fifth found room")
		}
		if got := p.read(); len(got) != 4 {
			t.Fatal(got)
		}
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if got := p.read(); len(got) != 1 || got[0] != (packet{puback, 5, 0x90}) {
			t.Fatal(got)
		}
		in.Stop()
		if err := refuse(6); err == nil {
			t.Fatal("taken after the end")
		}
	})
}
