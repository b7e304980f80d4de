package fault

import (
	"fmt"
	"slices"
	"testing"

	"edged/test/harness"
	"edged/test/rawmqtt"
	"edged/test/verdict"
)

// progress is how far a subscriber has come with a delivery when the gateway ends.
type progress int

const (
	notAnswered   progress = iota // PUBLISH came, nothing was answered
	ackCutOff                     // PUBACK or PUBREC was sent right before the end
	ackSeen                       // PUBACK or PUBREC was sent, and the broker has seen it; of QoS 2 PUBREL has come then
	compCutOff                    // QoS 2: PUBCOMP was sent right before the end
	compSeen                      // QoS 2: PUBCOMP was sent, and the broker has seen it
	progressKinds = iota
)

func (p progress) String() string {
	return [...]string{"PUBLISH not answered", "PUBACK or PUBREC cut off", "answered", "PUBCOMP cut off", "complete"}[p]
}

// inHand is one message to a subscriber. Which progress it makes follows from its identifier, so that states lie side by side in one session.
type inHand struct {
	rawmqtt.Message
	progress
}

// halfway is a subscriber with deliveries in all states.
type halfway struct {
	login rawmqtt.Connect
	topic string
	qos   byte
	w     *rawmqtt.Client
	sent  []string
	all   map[uint16]*inHand
}

// perState is how many deliveries of a session are in each state; more of them wait for room in its window.
const perState = 4

func (h *halfway) begin(t *testing.T, e *harness.Edged) {
	t.Helper()
	h.w, _ = rawmqtt.Login(t, addr(e), h.login)
	if code := h.w.Subscribe(1, h.topic, h.qos); code != h.qos {
		t.Fatalf("SUBACK %d", code)
	}
}

// advance takes the deliveries, brings each as far as the broker can have seen, and waits until it has.
func (h *halfway) advance() {
	h.w.T.Helper()
	h.all = map[uint16]*inHand{}
	var rels []uint16
	for i := range perState * progressKinds {
		m := h.w.Message()
		d := &inHand{m, progress(i % progressKinds)}
		if h.qos == 1 && d.progress > ackSeen {
			d.progress = ackSeen
		}
		h.all[m.ID] = d
	}
	for id, d := range h.all {
		switch {
		case d.progress < ackSeen:
		case h.qos == 1:
			h.w.Ack(0x40, id)
		default:
			h.w.Ack(0x50, id)
			rels = append(rels, id)
		}
	}
	for len(rels) > 0 { // more deliveries of QoS 1 may come in between: they are not answered
		f := h.w.Read()
		if i := slices.Index(rels, f.ID()); f.Kind == 0x62 && i >= 0 {
			rels = slices.Delete(rels, i, i+1)
		} else {
			h.more(f)
		}
	}
	for id, d := range h.all {
		if h.qos == 2 && d.progress == compSeen {
			h.w.Ack(0x70, id)
		}
	}
	h.w.Send([]byte{0xC0, 0})
	for f := h.w.Read(); f.Kind != 0xD0; f = h.w.Read() {
		h.more(f)
	}
}

// more notes a delivery for which there came room.
func (h *halfway) more(f rawmqtt.Frame) {
	h.w.T.Helper()
	m, ok := f.Message()
	if !ok {
		h.w.T.Fatalf("want PUBLISH, have %v", f)
	}
	h.all[m.ID] = &inHand{m, notAnswered}
}

// cut sends what nobody waits for.
func (h *halfway) cut() {
	for id, d := range h.all {
		switch {
		case d.progress == ackCutOff && h.qos == 1:
			h.w.Ack(0x40, id)
		case d.progress == ackCutOff:
			h.w.Ack(0x50, id)
		case d.progress == compCutOff:
			h.w.Ack(0x70, id)
		}
	}
}

// judge resumes the session and finishes everything. clean says that the gateway was asked to stop: then it knows all that it had seen,
// and also where deliveries of QoS 1 were. It returns what is wrong, and counts it.
func (h *halfway) judge(t *testing.T, e *harness.Edged, clean bool, v *verdict.Verdict) (wrong []string) {
	t.Helper()
	_ = h.w.Close()
	say := func(format string, args ...any) { wrong = append(wrong, h.login.ID+": "+fmt.Sprintf(format, args...)) }
	s := newSubscriber(e, h.login.V5, h.login.ID)
	s.login = h.login
	present, err := s.come()
	must(t, err)
	if !present {
		v.Lost += int64(len(h.sent))
		return []string{h.login.ID + ": the session is gone"}
	}
	have, again, rels := map[string]bool{}, map[string]bool{}, map[uint16]bool{}
	for id, d := range h.all {
		if d.progress != notAnswered {
			have[d.Payload] = true
			if h.qos == 2 && d.progress <= ackSeen { // else it has seen PUBREL, and forgotten the identifier
				s.taken[id] = d.Payload
			}
		}
	}
	s.seen = func(f rawmqtt.Frame) {
		if f.Kind == 0x62 {
			rels[f.ID()] = true
		}
		if m, ok := f.Message(); ok {
			again[m.Payload] = true
			if d := h.all[m.ID]; d != nil && d.Payload == m.Payload && (h.qos == 2 || clean) && !m.Dup {
				say("%q came again without DUP (%v)", m.Payload, d.progress)
			} else if d != nil && d.Payload != m.Payload && h.qos == 2 && d.progress < compCutOff {
				say("identifier %d was of %q and is of %q", m.ID, d.Payload, m.Payload)
			}
		}
	}
	must(t, s.collect(slices.DeleteFunc(slices.Clone(h.sent), func(p string) bool { return have[p] })))
	if h.qos == 2 {
		wrong = append(wrong, s.wrong...)
	}
	for id, d := range h.all {
		came := again[d.Payload]
		switch {
		case h.qos == 2 && d.progress >= ackSeen && came, h.qos == 1 && d.progress == ackSeen && clean && came:
			say("%q came again (%v)", d.Payload, d.progress)
			v.Doubled++
		case h.qos == 2 && d.progress == ackCutOff && !came && !rels[id]:
			say("there came neither PUBLISH nor PUBREL for %q (%v)", d.Payload, d.progress)
		case h.qos == 2 && d.progress == ackSeen && !rels[id]:
			say("there came no PUBREL for %q", d.Payload)
		}
	}
	if h.qos == 2 {
		_, doubled := lostAndTwice(nil, s.payloads(2))
		v.Doubled += int64(len(doubled))
	}
	for _, p := range h.sent {
		if !have[p] && !again[p] {
			say("%q is lost", p)
			v.Lost++
		}
	}
	return wrong
}
