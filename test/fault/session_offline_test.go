package fault

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"edged/test/harness"
	"edged/test/rawmqtt"
	"edged/test/verdict"
)

// waiting is how many messages wait on each topic. Mosquitto lost as many.
const waiting = 1001

// Subscribers are away while others publish to them. The gateway ends after the last acknowledgement; they come back and get everything, in
// order, whether a receiver takes the topic or none. Some of them had come back for a part before: of that they get nothing again with QoS 2, and with
// QoS 1 nothing again when the gateway could finish, if it came to them in the order of the log. Messages of one commit that different
// receivers take, or none, do not: of those that are behind one that waits, some may come again.
func TestSessionsOfOfflineSubscribers(t *testing.T) {
	eachEnd(t, func(t *testing.T, end end) {
		e := sessionGateway(t, sessionConfig)
		topics := map[byte][]string{1: {"site/off/1", "free/off/1"}, 2: {"site/off/2", "free/off/2", "both/off/2"}}
		var away []*subscriber
		for _, v5 := range []bool{false, true} {
			s := newSubscriber(e, v5, "away"+version(v5))
			s.begin(t, 1, topics[1]...)
			for _, topic := range topics[2] {
				s.ask(t, topic, 2)
			}
			s.leave()
			away = append(away, s)
		}
		one := newSubscriber(e, true, "one")
		one.begin(t, 1, "free/off/1")
		one.leave()
		away = append(away, one)
		p := newPublisher(e, true, "publisher")
		var ms []rawmqtt.Publish
		for i := range waiting {
			for qos := range topics {
				for _, topic := range topics[qos] {
					ms = append(ms, rawmqtt.Publish{Topic: topic, QoS: qos, Payload: fmt.Sprintf("%s %06d", topic, i)})
				}
			}
		}
		p.must(t, ms...)
		for _, s := range away[1:] {
			s.back(t, true)
			s.limit = waiting / 2
			must(t, s.fetch(s.limit))
			s.leave()
			s.limit = 0
		}
		end.now(t, e)
		e.Start()
		v := verdict.Verdict{Acked: int64(len(p.acked)), Fault: fmt.Sprintf("sessions: %s, three subscribers away, up to %d messages of QoS 1 and 2 for each", end.name, len(ms))}
		repeated := 0
		for _, s := range away {
			wanted := p.payloads(1)
			if s == one {
				wanted = slices.DeleteFunc(wanted, func(p string) bool { return !strings.HasPrefix(p, "free/off/1") })
			}
			s.returns(t, wanted)
			s.proper(t)
			lost, again := lostAndTwice(wanted, s.payloads(1))
			_, doubled := lostAndTwice(nil, s.payloads(2))
			if end.name == byTerm.name && s == one {
				doubled = again
			}
			if repeated += len(again); len(lost)+len(doubled) > 0 {
				t.Logf("client %s: lost %s, doubled %s", s.login.ID, some(lost), some(doubled))
			}
			v.Lost += int64(len(lost))
			v.Doubled += int64(len(doubled))
		}
		v.Expected = fmt.Sprintf("two had taken %d before; %d of QoS 1 came again", waiting/2, repeated)
		settled(t, e)
		v.Holds(t)
	})
}

// The same where each sync takes long, killed at the moment of the last acknowledgement: whatever is acknowledged before its commit is lost.
// The control acknowledges before the commit.
func TestSessionsAreCommittedBeforeTheAcknowledgement(t *testing.T) {
	t.Parallel()
	t.Run("edged", func(t *testing.T) {
		t.Parallel()
		e := harness.New(t, sessionConfig)
		slowDisk(t, e, 150*time.Millisecond)
		v := killedAtTheLastAcknowledgement(t, e)
		v.Fault = "sessions: kill -9 at the last acknowledgement, 150 ms a sync, a subscriber away"
		settled(t, e)
		v.Holds(t)
	})
	t.Run("control", func(t *testing.T) {
		t.Parallel()
		e := harness.New(t, sessionConfig)
		e.Tag = "edged_ackfirst"
		slowWrites(t, e, 100*time.Millisecond) // what is written a killed process leaves behind, synced or not
		v := killedAtTheLastAcknowledgement(t, e)
		v.Fault = "sessions: the same, acknowledged before the commit"
		v.Breaks(t)
	})
}

func killedAtTheLastAcknowledgement(t *testing.T, e *harness.Edged) (v verdict.Verdict) {
	t.Helper()
	e.Start()
	s := newSubscriber(e, false, "away")
	s.begin(t, 1, "site/late/#", "free/late/#")
	s.leave()
	p := newPublisher(e, false, "publisher")
	var ms []rawmqtt.Publish
	for i := range waiting {
		for _, topic := range []string{"site/late/1", "free/late/1"} {
			ms = append(ms, rawmqtt.Publish{Topic: topic, QoS: 1, Payload: fmt.Sprintf("%s %06d", topic, i)})
		}
	}
	p.pipeline(t, len(ms), ms)
	e.Kill()
	e.Wrap = nil
	e.Start()
	present, err := s.come()
	must(t, err)
	if present {
		must(t, s.collect(p.payloads(1)))
		s.proper(t)
	}
	lost, _ := lostAndTwice(p.payloads(1), s.payloads(1))
	return verdict.Verdict{Acked: int64(len(p.acked)), Lost: int64(len(lost))}
}
