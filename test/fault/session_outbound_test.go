package fault

import (
	"fmt"
	"testing"
	"time"

	"edged/test/harness"
	"edged/test/rawmqtt"
	"edged/test/verdict"
)

// Subscribers in every state of their deliveries when the gateway ends, several in one session, more waiting behind them: what was received with
// QoS 2 is never published again, every exchange goes on with its identifier, nothing is missing.
func TestSessionsOfSubscribersHalfFinished(t *testing.T) {
	eachEnd(t, func(t *testing.T, end end) {
		e := sessionGateway(t, sessionConfig)
		v, wrong := cutOutbound(t, e, 0, func() { end.now(t, e); e.Start() }, end.name == byTerm.name, "")
		v.Fault = "sessions: " + end.name + ", subscribers of QoS 1 and 2 in every state"
		for _, w := range wrong {
			t.Error(w)
		}
		settled(t, e)
		v.Holds(t)
	})
	t.Run("twice", func(t *testing.T) { // and what they wait for had to leave the log
		t.Parallel()
		e := sessionGateway(t, sessionConfig)
		v, wrong := cutOutbound(t, e, 24<<20, func() { e.Kill(); e.Start(); e.Kill(); e.Start() }, false, "")
		v.Fault = "sessions: kill -9 twice, the same, 24 MiB past them"
		for _, w := range wrong {
			t.Error(w)
		}
		settled(t, e)
		v.Holds(t)
	})
	t.Run("control", func(t *testing.T) {
		t.Parallel()
		e := sessionGateway(t, sessionConfig)
		v, _ := cutOutbound(t, e, 0, func() { e.Kill(); e.Start() }, false, "x")
		v.Fault = "sessions: the same, subscribers that come back as somebody else"
		v.Breaks(t)
	})
}

// cutOutbound goes through all states, and has so many bytes pass them. The clients come back with as added to their identifiers.
func cutOutbound(t *testing.T, e *harness.Edged, passes int, restart func(), clean bool, as string) (v verdict.Verdict, wrong []string) {
	t.Helper()
	const each = 2 * perState * progressKinds
	var all []*halfway
	p := newPublisher(e, false, "publisher")
	for _, v5 := range []bool{false, true} {
		for _, root := range []string{"site", "free"} {
			for _, qos := range []byte{1, 2} {
				h := &halfway{login: login(v5, fmt.Sprintf("sub%s%d%s", root, qos, version(v5))), qos: qos}
				if v5 {
					h.login.Props = append(h.login.Props, rawmqtt.U16(0x21, each/2)...) // Receive Maximum: no more in flight
				}
				h.topic = root + "/out/" + h.login.ID
				h.begin(t, e)
				all = append(all, h)
				p.must(t, messages(h.topic, 2, each)...)
				for _, m := range p.acked[len(p.acked)-each:] {
					h.sent = append(h.sent, m.Payload)
				}
			}
		}
	}
	for _, h := range all {
		h.advance()
	}
	passing(t, p, passes)
	p.must(t, messages("site/out", 1, 1)...) // a commit, which may carry what the broker has seen
	time.Sleep(quickOrFull(0, 1200*time.Millisecond))
	p.leave()
	for _, h := range all {
		h.cut()
	}
	restart()
	for _, h := range all {
		v.Acked += int64(len(h.sent))
		h.login.ID += as
		wrong = append(wrong, h.judge(t, e, clean, &v)...)
	}
	return v, wrong
}
