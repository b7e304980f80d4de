package fault

import (
	"fmt"
	"slices"
	"testing"

	"edged/test/harness"
	"edged/test/rawmqtt"
	"edged/test/verdict"
)

// inbound is a publisher's exchange of QoS 2 that the end of the gateway cuts into, and how the client goes on after it. Each message of
// stored must be in every file of its topic exactly once then, and be delivered exactly once.
type inbound struct {
	name   string
	before func(w *rawmqtt.Client, topic string)
	// cut is sent right before the end: nobody waits for what it brings.
	cut    func(w *rawmqtt.Client, topic string)
	after  func(w *rawmqtt.Client, topic string, present bool)
	stored []string // payloads; "one" is the message with identifier 1 of before or cut
}

func exactly2(topic, payload string, dup bool) rawmqtt.Publish {
	return rawmqtt.Publish{Topic: topic, Payload: topic + " " + payload, QoS: 2, ID: 1, Dup: dup}
}

// whole2 goes through an exchange; rel begins at PUBREL, of which the broker may not know the identifier any more (MQTT 5: 0x92).
func whole2(w *rawmqtt.Client, m rawmqtt.Publish) {
	w.T.Helper()
	w.Publish(m)
	w.Acks(0x50, m.ID)
	rel(w, m.ID)
}

func rel(w *rawmqtt.Client, id uint16) {
	w.T.Helper()
	w.Ack(0x62, id)
	if f := w.Read(); f.Kind != 0x70 || f.ID() != id || f.Code() != 0 && f.Code() != 0x92 {
		w.T.Errorf("want PUBCOMP %d, have %v", id, f)
	}
}

// inbounds are all states of the exchange, and identifiers used again in each. A PUBLISH with DUP = 0 is a new message whatever its
// identifier has been used for; one with DUP = 1 is a repeat only of a message whose PUBCOMP has not left.
func inbounds() []inbound {
	publish := func(w *rawmqtt.Client, topic string) { w.T.Helper(); w.Publish(exactly2(topic, "one", false)) }
	received := func(w *rawmqtt.Client, topic string) { w.T.Helper(); publish(w, topic); w.Acks(0x50, 1) }
	complete := func(w *rawmqtt.Client, topic string) { w.T.Helper(); whole2(w, exactly2(topic, "one", false)) }
	release := func(w *rawmqtt.Client, _ string) { w.T.Helper(); w.Ack(0x62, 1) }
	repeat := func(w *rawmqtt.Client, topic string, present bool) {
		w.T.Helper()
		whole2(w, exactly2(topic, "one", present)) // no session: nothing was stored, and the message is sent as new
	}
	releaseAgain := func(w *rawmqtt.Client, _ string, present bool) {
		w.T.Helper()
		if present { // else the session is over, and the exchange with it
			rel(w, 1)
		}
	}
	must := func(f func(w *rawmqtt.Client, topic string)) func(*rawmqtt.Client, string, bool) {
		return func(w *rawmqtt.Client, topic string, present bool) {
			w.T.Helper()
			if !present {
				w.T.Errorf("%s: PUBREC came, PUBREL was not sent, and the session is gone", topic)
			}
			f(w, topic)
		}
	}
	another := func(dup bool) func(w *rawmqtt.Client, topic string) {
		return func(w *rawmqtt.Client, topic string) { w.T.Helper(); whole2(w, exactly2(topic, "two", dup)) }
	}
	anyway := func(f func(w *rawmqtt.Client, topic string)) func(*rawmqtt.Client, string, bool) {
		return func(w *rawmqtt.Client, topic string, _ bool) { w.T.Helper(); f(w, topic) }
	}
	return []inbound{
		{name: "publish cut off", cut: publish, after: repeat, stored: []string{"one"}},
		{name: "stored, PUBREC not seen", before: received, after: must(func(w *rawmqtt.Client, topic string) { w.T.Helper(); repeat(w, topic, true) }), stored: []string{"one"}},
		{name: "PUBREC seen", before: received, after: must(func(w *rawmqtt.Client, _ string) { w.T.Helper(); rel(w, 1) }), stored: []string{"one"}},
		{name: "PUBREL cut off", before: received, cut: release, after: releaseAgain, stored: []string{"one"}},
		{name: "PUBCOMP not seen", before: complete, after: releaseAgain, stored: []string{"one"}},
		{name: "PUBREC seen, new message with the identifier", before: received, after: must(another(false)), stored: []string{"one", "two"}},
		{name: "complete, new message with the identifier", before: complete, after: anyway(another(false)), stored: []string{"one", "two"}},
		{name: "complete, repeat of a lost message with the identifier", before: complete, after: anyway(another(true)), stored: []string{"one", "two"}},
		{name: "PUBREL cut off, new message with the identifier", before: received, cut: release, after: anyway(another(false)), stored: []string{"one", "two"}},
		{name: "used again before the end", before: func(w *rawmqtt.Client, topic string) {
			w.T.Helper()
			complete(w, topic)
			w.Publish(exactly2(topic, "two", false))
			w.Acks(0x50, 1)
		}, after: must(func(w *rawmqtt.Client, topic string) { w.T.Helper(); whole2(w, exactly2(topic, "two", true)) }), stored: []string{"one", "two"}},
		{name: "used again, cut off", before: complete, cut: func(w *rawmqtt.Client, topic string) { w.T.Helper(); w.Publish(exactly2(topic, "two", false)) },
			after: func(w *rawmqtt.Client, topic string, present bool) {
				w.T.Helper()
				whole2(w, exactly2(topic, "two", present))
			}, stored: []string{"one", "two"}},
	}
}

// exchange is one inbound of one client.
type exchange struct {
	inbound
	login rawmqtt.Connect
	topic string
	w     *rawmqtt.Client
}

// Publishers of QoS 2 in every state of the exchange when the gateway ends, with topics that one receiver takes, two, and none: each message is in
// each file exactly once, a subscriber who is away gets it exactly once, and every exchange comes to its PUBCOMP.
func TestSessionsOfPublishersHalfFinished(t *testing.T) {
	eachEnd(t, func(t *testing.T, end end) {
		e := sessionGateway(t, sessionConfig)
		v := cutInbound(t, e, func() { end.now(t, e); e.Start() }, true)
		v.Fault = "sessions: " + end.name + ", publishers of QoS 2 in every state"
		settled(t, e)
		v.Holds(t)
	})
	t.Run("control", func(t *testing.T) {
		t.Parallel()
		e := sessionGateway(t, sessionConfig)
		v := cutInbound(t, e, func() { e.Kill(); e.Start() }, false)
		v.Fault = "sessions: the same, publishers that come back as somebody else"
		v.Breaks(t)
	})
}

// cutInbound goes through all states. Without memory the clients come back with other identifiers, so that nothing can be known of them.
func cutInbound(t *testing.T, e *harness.Edged, restart func(), memory bool) (v verdict.Verdict) {
	t.Helper()
	s := newSubscriber(e, true, "away")
	s.begin(t, 2, "site/in/#", "both/in/#", "free/in/#")
	s.leave()
	var all []*exchange
	for _, v5 := range []bool{false, true} {
		for i, in := range inbounds() {
			for _, root := range []string{"site", "both", "free"} {
				x := &exchange{inbound: in, login: login(v5, fmt.Sprintf("pub%s%d%s", root, i, version(v5)))}
				x.topic = fmt.Sprintf("%s/in/%s", root, x.login.ID)
				all = append(all, x)
			}
		}
	}
	for _, x := range all {
		x.w, _ = rawmqtt.Login(t, addr(e), x.login)
		if x.before != nil {
			x.before(x.w, x.topic)
		}
	}
	for _, x := range all {
		if x.cut != nil {
			x.cut(x.w, x.topic)
		}
	}
	restart()
	var stored []string
	for _, x := range all {
		present := false
		_ = x.w.Close()
		if memory {
			x.w, present = rawmqtt.Login(t, addr(e), x.login)
		} else {
			x.login.ID += "x"
			x.w, _ = rawmqtt.Login(t, addr(e), x.login)
			present = true // it believes so
		}
		x.after(x.w, x.topic, present)
		for _, p := range x.stored {
			stored = append(stored, x.topic+" "+p)
		}
	}
	settled(t, e)
	if s.back(t, true) {
		must(t, s.collect(stored))
	}
	s.proper(t)
	v.Acked = int64(len(stored))
	count := func(where string, wanted, came []string) {
		t.Helper()
		lost, doubled := lostAndTwice(wanted, came)
		if len(lost)+len(doubled) > 0 && memory {
			t.Errorf("%s: lost %s, doubled %s", where, some(lost), some(doubled))
		}
		v.Lost += int64(len(lost))
		v.Doubled += int64(len(doubled))
	}
	below := func(roots ...string) (ps []string) {
		for _, p := range stored {
			if slices.Contains(roots, p[:4]) {
				ps = append(ps, p)
			}
		}
		return ps
	}
	count("raw.ndjson, site", below("site"), rowPayloads(e, "raw.ndjson", "site/in/"))
	count("raw.ndjson, both", below("both"), rowPayloads(e, "raw.ndjson", "both/in/"))
	count("copies.ndjson", below("both"), rowPayloads(e, "copies.ndjson", "both/in/"))
	count("the subscriber", stored, s.payloads(0))
	return v
}
