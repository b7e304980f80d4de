package fault

import (
	"fmt"
	"testing"
	"time"

	"edged/test/harness"
	"edged/test/rawmqtt"
	"edged/test/verdict"
)

// lasting is a session of which something is settled before the gateway ends, and what must be true of it afterwards.
type lasting struct {
	name   string
	before func(t *testing.T, s *subscriber)
	late   func(t *testing.T, s *subscriber) // shortly before the end
	// present says whether there is a session afterwards; nil is that both are right.
	present *bool
	gets    []string // the messages that it has then, in its two lives together
}

var yes, no = new(true), new(false)

// lastingCases are sessions of clients of a version. Before late, when nobody is connected, "early" is published to free/CLIENT/a and
// free/CLIENT/b; after the restart "now" is, before anybody is back.
func lastingCases(v5 bool) []lasting {
	filter := func(s *subscriber, last string) string { return "free/" + s.login.ID + "/" + last }
	subscribed := func(t *testing.T, s *subscriber) {
		t.Helper()
		s.begin(t, 1, filter(s, "a"), filter(s, "b"))
		s.leave()
	}
	returned := func(t *testing.T, s *subscriber) {
		t.Helper()
		s.back(t, true)
		must(t, s.ping())
	}
	clean := func(t *testing.T, s *subscriber) {
		t.Helper()
		keeps := s.login
		s.login.Keep = false
		s.back(t, false)
		s.login = keeps
	}
	cleanSuback := lasting{name: "cleansuback", before: subscribed, late: func(t *testing.T, s *subscriber) {
		clean(t, s)
		s.ask(t, filter(s, "b"), 1)
	}, present: no}
	if v5 { // in 3.1.1 such a session ends with its connection
		cleanSuback.present, cleanSuback.gets = yes, []string{"b now"}
	}
	return []lasting{
		{name: "away", before: subscribed, present: yes, gets: []string{"a early", "b early", "a now", "b now"}},
		{name: "unsubscribed", before: func(t *testing.T, s *subscriber) {
			subscribed(t, s)
			s.back(t, true)
			must(t, s.unsubscribe(filter(s, "b")))
			s.leave()
		}, present: yes, gets: []string{"a early", "a now"}},
		{name: "replaced", before: subscribed, late: func(t *testing.T, s *subscriber) {
			returned(t, s)
			s.ask(t, filter(s, "a"), 0) // [MQTT-3.8.4-3]: with QoS 0, which nobody gets who is away
		}, present: yes, gets: []string{"a early", "b early", "b now"}},
		{name: "takenover", before: subscribed, late: func(t *testing.T, s *subscriber) {
			s.back(t, true)
			first := s.w
			defer first.Drop()
			returned(t, s)
		}, present: yes, gets: []string{"a early", "b early", "a now", "b now"}},
		{name: "clean", before: subscribed, late: clean}, // what is left of it need not be on disk
		cleanSuback,
		{name: "unsuback", before: subscribed, late: func(t *testing.T, s *subscriber) {
			returned(t, s)
			must(t, s.unsubscribe(filter(s, "b")))
		}, present: yes, gets: []string{"a early", "b early", "a now"}},
		{name: "suback", late: func(t *testing.T, s *subscriber) { s.begin(t, 1, filter(s, "a")) }, present: yes, gets: []string{"a now"}},
	}
}

// Subscriptions, their ends, clean starts and take-overs are what they were when the gateway ended, however it ended, if the client had been told.
func TestSessionsAndTheirSubscriptionsLast(t *testing.T) {
	eachEnd(t, func(t *testing.T, end end) {
		e := sessionGateway(t, sessionConfig)
		var all []*lasting
		subscribers := map[*lasting]*subscriber{}
		for _, v5 := range []bool{false, true} {
			for _, c := range lastingCases(v5) {
				all = append(all, &c)
				subscribers[&c] = newSubscriber(e, v5, c.name+version(v5))
			}
		}
		for _, c := range all {
			if c.before != nil {
				c.before(t, subscribers[c])
			}
		}
		p := newPublisher(e, false, "publisher")
		say := func(word string) {
			t.Helper()
			var ms []rawmqtt.Publish
			for _, c := range all {
				for _, last := range []string{"a", "b"} {
					ms = append(ms, rawmqtt.Publish{Topic: "free/" + subscribers[c].login.ID + "/" + last, QoS: 1, Payload: last + " " + word})
				}
			}
			p.must(t, ms...)
		}
		say("early")
		for _, c := range all {
			if c.late != nil {
				c.late(t, subscribers[c])
			}
		}
		end.now(t, e)
		p.leave()
		e.Start()
		say("now")
		v := verdict.Verdict{Fault: fmt.Sprintf("sessions: %s, %d sessions after SUBACK, UNSUBACK, clean start, take-over", end.name, len(all))}
		for _, c := range all {
			lost, surplus := c.judge(t, subscribers[c])
			v.Acked += int64(len(c.gets))
			v.Lost += int64(lost)
			v.Doubled += int64(surplus)
		}
		settled(t, e)
		v.Holds(t)
	})
}

// judge returns how many messages a session lacks, and how many it has that it must not have.
func (c *lasting) judge(t *testing.T, s *subscriber) (lost, surplus int) {
	t.Helper()
	present, err := s.come()
	must(t, err)
	if c.present != nil && present != *c.present {
		t.Errorf("%s: session present is %v", s.login.ID, present)
		surplus++
	}
	if present {
		must(t, s.collect(c.gets))
	}
	missing, _ := lostAndTwice(c.gets, s.payloads(0))
	for _, p := range missing {
		t.Errorf("%s: there did not come %q", s.login.ID, p)
	}
	wanted := map[string]bool{}
	for _, p := range c.gets {
		wanted[p] = true
	}
	for _, p := range s.payloads(0) {
		if !wanted[p] {
			t.Errorf("%s: there came %q", s.login.ID, p)
			surplus++
		}
	}
	return len(missing), surplus
}

// A session ends when its time is over, also when the gateway was killed meanwhile, and not before; one that its client has ended is not there again.
func TestSessionsExpireOverARestart(t *testing.T) {
	byKillAtLeast(t, func(t *testing.T, end end) {
		e := sessionGateway(t, sessionConfig)
		away := func(id string, seconds uint32) *subscriber {
			s := newSubscriber(e, true, id)
			s.login.Props = rawmqtt.U32(0x11, seconds)
			s.begin(t, 1, "free/expire/"+id)
			return s
		}
		over, later, kept, ended := away("over", 1), away("later", 3), away("kept", 3600), away("ended", 3600)
		for _, s := range []*subscriber{over, later, kept} {
			s.leave()
		}
		ended.w.T = t
		ended.w.Send(rawmqtt.Packet(0xE0, append([]byte{0}, rawmqtt.Props(rawmqtt.U32(0x11, 0))...)))
		ended.w.Ended()
		harness.Until(t, 10*time.Second, "a session of 1 s has expired", func() bool { return e.Client(t, "over").ID == "" })
		p := newPublisher(e, false, "publisher")
		p.must(t, messages("site/expire", 1, 10)...) // a commit after that
		p.must(t, messages("free/expire/kept", 1, 10)...)
		p.leave()
		end.now(t, e)
		e.Start()
		for _, s := range []*subscriber{over, ended} {
			s.back(t, false)
		}
		kept.returns(t, p.payloads(1)[10:])
		lost, _ := lostAndTwice(p.payloads(1)[10:], kept.payloads(1))
		harness.Until(t, 10*time.Second, "a session of 3 s has expired", func() bool { return e.Client(t, "later").ID == "" })
		later.back(t, false)
		settled(t, e)
		verdict.Verdict{Fault: "sessions: " + end.name + ", session expiry, DISCONNECT that ends a session", Acked: 10, Lost: int64(len(lost))}.Holds(t)
	})
}
