package fault

import (
	"fmt"
	"testing"

	"edged/test/verdict"
)

// Members of a shared subscription who are away when the gateway is killed: every message reaches one of them. Who was given what is not known
// after a crash, so that a message may reach two (docs/adr/0014-sessions.md); after a clean stop it reaches one.
func TestSessionsShareASubscription(t *testing.T) {
	byKillAtLeast(t, func(t *testing.T, end end) {
		e := sessionGateway(t, sessionConfig)
		var members []*subscriber
		for i := range 4 {
			s := newSubscriber(e, i%2 == 0, fmt.Sprintf("member%d", i))
			s.begin(t, 1+byte(i/2), "$share/group/free/shared", "$share/group/site/shared")
			members = append(members, s)
		}
		members[0].limit = 50 // it takes some before it leaves
		p := newPublisher(e, true, "publisher")
		p.must(t, append(messages("free/shared", 2, 300), messages("site/shared", 1, 300)...)...)
		must(t, members[0].ping())
		for _, s := range members {
			s.leave()
		}
		members[0].limit = 0
		p.must(t, append(messages("free/shared", 2, 600)[300:], messages("site/shared", 1, 600)[300:]...)...)
		p.leave()
		end.now(t, e)
		e.Start()
		for _, s := range members { // all at once: what one has not acknowledged is given to others when its session ends, not before
			s.back(t, true)
		}
		var lost, again []string
		for range 10 { // until everything has come to one of them
			var came []string
			for _, s := range members {
				s.quiet = brevity
				must(t, s.fetch(len(p.acked)/len(members)))
				came = append(came, s.payloads(1)...)
			}
			if lost, again = lostAndTwice(p.payloads(1), came); len(lost) == 0 {
				break
			}
		}
		v := verdict.Verdict{Fault: "sessions: " + end.name + ", a shared subscription of four", Acked: int64(len(p.acked)), Lost: int64(len(lost))}
		if v.Expected = fmt.Sprintf("%d came to two members", len(again)); end.name == byTerm.name {
			v.Doubled = int64(len(again))
		}
		if v.Lost+v.Doubled > 0 {
			t.Errorf("lost %s, twice %s", some(lost), some(again))
		}
		settled(t, e)
		v.Holds(t)
	})
}
