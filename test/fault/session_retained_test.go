package fault

import (
	"fmt"
	"slices"
	"testing"

	"edged/test/rawmqtt"
	"edged/test/verdict"
)

// Retained messages that a new subscription brings, and that are not acknowledged when the gateway ends: those on their way
// and those that wait for room in the window come after the restart.
func TestSessionsAreOwedRetainedMessages(t *testing.T) {
	byKillAtLeast(t, func(t *testing.T, end end) {
		e := sessionGateway(t, sessionConfig)
		p := newPublisher(e, false, "publisher")
		var wanted []string
		var ms []rawmqtt.Publish
		for _, root := range []string{"site", "free"} {
			for i := range 40 {
				m := rawmqtt.Publish{Topic: fmt.Sprintf("%s/kept/%d", root, i), QoS: 1 + byte(i%2), Retain: true}
				m.Payload = m.Topic
				ms = append(ms, m)
				wanted = append(wanted, m.Payload)
			}
		}
		p.must(t, ms...)
		p.leave()
		v := verdict.Verdict{Fault: "sessions: " + end.name + ", retained messages owed to new subscriptions"}
		var all []*subscriber
		for _, v5 := range []bool{false, true} {
			for _, qos := range []byte{1, 2} {
				s := newSubscriber(e, v5, fmt.Sprintf("away%d%s", qos, version(v5)))
				if v5 {
					s.login.Props = append(s.login.Props, rawmqtt.U16(0x21, 10)...) // Receive Maximum
				}
				_, err := s.come()
				must(t, err)
				all = append(all, s)
			}
		}
		for _, s := range all {
			s.w.T = t
			s.w.Send(rawmqtt.Subscription(s.login.V5, 1, nil, rawmqtt.Filter{Name: "site/kept/+", Options: s.login.ID[4] - '0'}, rawmqtt.Filter{Name: "free/kept/+", Options: s.login.ID[4] - '0'}))
			s.w.Send([]byte{0xC0, 0})
			if _, err := s.w.Want(0xD0); err != nil { // nothing that comes before is answered: neither those on their way nor those that wait
				t.Fatal(err)
			}
		}
		p.must(t, rawmqtt.Publish{Topic: "site/after", QoS: 1, Payload: "after"}) // what is owed rides with a commit (ADR 14)
		p.leave()
		end.now(t, e)
		e.Start()
		for _, s := range all {
			s.returns(t, wanted)
			s.proper(t)
			v.Acked += int64(len(wanted))
			lost, doubled := lostAndTwice(wanted, s.payloads(1))
			if len(lost)+len(doubled) > 0 {
				t.Errorf("client %s: lost %s, doubled %s", s.login.ID, some(lost), some(doubled))
			}
			if i := slices.IndexFunc(s.got, func(m rawmqtt.Message) bool { return !m.Retain }); i >= 0 {
				t.Errorf("client %s: without the retain flag: %+v", s.login.ID, s.got[i])
			}
			v.Lost += int64(len(lost))
			v.Doubled += int64(len(doubled))
		}
		settled(t, e)
		v.Holds(t)
	})
}
