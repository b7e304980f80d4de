package broker

import (
	"testing"

	"edged/broker/record"
)

// standingOf is how an outbox stands that has this in it, when everything before low is through the fan-out.
func standingOf(low uint64, waiting []letter, flights ...*flight) (standing, *writing) {
	s := &session{id: "c", kept: true}
	o := &s.out
	o.b, o.s, o.touched, o.flights = &Broker{}, s, true, map[uint16]*flight{}
	for _, l := range waiting {
		l.m, l.to = &message{}, &grant{}
		o.waiting.push(l)
	}
	for _, f := range flights {
		f.m, f.to = &message{}, &grant{}
		o.flights[f.id] = f
	}
	w := &writing{low: low, hold: low}
	st, _ := o.stand(w)
	return st, w
}

// Messages of a commit go through the fan-out in the order of their publishers, not of the log: what comes later may be before what waits.
func TestAMarkDoesNotPassWhatIsNotThroughTheFanOut(t *testing.T) {
	st, _ := standingOf(100, []letter{{qos: 1, ref: record.Ref{Seq: 105, Off: 3}}})
	if st.mark != (record.Ref{Seq: 100}) {
		t.Errorf("a letter at 105 waits, and 100 is not through: the mark is %v", st.mark)
	}
	st, _ = standingOf(100, []letter{{qos: 1, ref: record.Ref{Seq: 90, Off: 3}}})
	if st.mark != (record.Ref{Seq: 90, Off: 3}) {
		t.Errorf("a letter at 90.3 waits: the mark is %v", st.mark)
	}
}

// The disk still says that a message was sent, as long as it is not durable that its PUBREC has come: after a kill the message is needed.
func TestALetterHoldsTheLogUntilItsPubrecIsDurable(t *testing.T) {
	f := &flight{letter: letter{qos: 2, ref: record.Ref{Seq: 50, Off: 1}}, id: 5, sent: true, released: true, held: true}
	if _, w := standingOf(100, nil, f); w.hold != 50 {
		t.Errorf("the log is held from %d on", w.hold)
	}
	f.held = false
	if _, w := standingOf(100, nil, f); w.hold != 100 {
		t.Errorf("its PUBREC is durable, and the log is held from %d on", w.hold)
	}
}
