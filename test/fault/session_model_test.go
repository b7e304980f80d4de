package fault

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"edged/test/harness"
	"edged/test/rawmqtt"
	"edged/test/verdict"
)

// Anything in any order: clients connect, leave, subscribe, unsubscribe, take some of what waits, publish, start clean; the gateway is killed
// between and amid all that, or asked to stop. What each session gets is compared with a plain model of it. EDGED_SEED repeats the choices
// of a run, though not the moments at which a kill hits.
func TestSessionsFollowTheModel(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("EDGED_SEED"); text != "" {
		n, err := strconv.ParseUint(text, 10, 64)
		must(t, err)
		seed = n
	}
	t.Logf("EDGED_SEED=%d", seed)
	var m *model
	defer func() {
		if t.Failed() {
			t.Logf("EDGED_SEED=%d, the steps:\n%s", seed, strings.Join(m.steps, "\n"))
		}
	}()
	m = &model{T: t, e: sessionGateway(t, sessionConfig), r: rand.New(rand.NewPCG(seed, 1))}
	for _, v5 := range []bool{false, true} {
		m.pubs = append(m.pubs, newPublisher(m.e, v5, "pub"+version(v5)))
		for i := range 2 {
			m.sessions = append(m.sessions, &modelSession{subscriber: newSubscriber(m.e, v5, fmt.Sprintf("sub%d%s", i, version(v5)))})
			m.sessions[len(m.sessions)-1].reset()
		}
	}
	for end := time.Now().Add(quickOrFull(4*time.Second, 30*time.Second)); (time.Now().Before(end) || len(m.steps) < 50) && !t.Failed(); {
		m.step()
	}
	v := m.judge()
	v.Fault = fmt.Sprintf("sessions: %d random steps, %d times kill -9, %d times SIGTERM", len(m.steps), m.kills, m.terms)
	settled(t, m.e)
	v.Holds(t)
}

// model is what must be, beside the gateway.
type model struct {
	*testing.T
	e            *harness.Edged
	r            *rand.Rand
	pubs         []*publisher
	sessions     []*modelSession
	steps        []string
	kills, terms int
	last         int // number of the last message
}

// modelSession is a session as it must be.
type modelSession struct {
	*subscriber
	filters map[string]bool // subscriptions; false: it was being made or taken away when the gateway died
	due     map[string]bool // messages that it may get; true: that it must get
	there   bool            // a session must be there
	gone    bool            // none must be there
}

func (s *modelSession) reset() {
	s.filters, s.due = map[string]bool{}, map[string]bool{}
	s.there, s.gone = false, false
	s.got = nil
}

var modelTopics = []string{"site/m/0", "site/m/1", "free/m/0", "free/m/1", "both/m/0", "both/m/1"}
var modelFilters = []string{"site/m/+", "free/m/#", "+/m/0", "both/m/1", "free/m/1", "#"}

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

func (m *model) note(format string, args ...any) {
	m.steps = append(m.steps, fmt.Sprintf("%4d ", len(m.steps))+fmt.Sprintf(format, args...))
}

// step does one thing.
func (m *model) step() {
	s := pick(m.r, m.sessions)
	switch n := m.r.IntN(100); {
	case n < 30:
		m.publish(false)
	case n < 38:
		m.end()
	case s.w == nil && n < 42:
		m.startClean(s)
	case s.w == nil:
		m.connect(s)
	case n < 60:
		m.subscribe(s)
	case n < 66:
		m.unsubscribe(s)
	case n < 78:
		before := len(s.got)
		must(m, s.ping())
		m.note("%s takes everything: %s", s.login.ID, numbers(s.got[before:]))
	case n < 90:
		m.takeSome(s)
	default:
		m.note("%s leaves", s.login.ID)
		s.leave()
	}
}

// known checks what a session has got so far: nothing that is not its, and with QoS 2 nothing twice.
func (m *model) known(s *modelSession) (doubled int) {
	for _, p := range s.payloads(0) {
		if _, ok := s.due[p]; !ok {
			m.Errorf("step %d: %s got %q", len(m.steps)-1, s.login.ID, p)
		}
	}
	_, twice := lostAndTwice(nil, s.payloads(2))
	if len(twice) > 0 {
		m.Errorf("%s got twice with QoS 2: %s", s.login.ID, some(twice))
	}
	// One of QoS 1 that is repeated after a restart can come behind later ones, if the subscription was made between it and them.
	exact := slices.DeleteFunc(slices.Clone(s.got), func(m rawmqtt.Message) bool { return m.QoS < 2 })
	if wrong := append(s.wrong, outOfOrder(exact)...); len(wrong) > 0 {
		m.Errorf("%s: wrong, or out of order: %s", s.login.ID, some(wrong))
	}
	s.wrong = nil
	return len(twice)
}

// judge has everybody fetch the rest, and compares.
func (m *model) judge() (v verdict.Verdict) {
	var acked, two []string
	for _, p := range m.pubs {
		acked, two = append(acked, p.payloads(1)...), append(two, p.payloads(2)...)
	}
	v.Acked = int64(len(acked))
	for _, s := range m.sessions {
		if s.w == nil {
			m.connect(s)
		}
		var wanted []string
		for p, sure := range s.due {
			if sure {
				wanted = append(wanted, p)
			}
		}
		must(m, s.collect(wanted))
		if lost, _ := lostAndTwice(wanted, s.payloads(1)); len(lost) > 0 {
			m.Errorf("%s did not get %s", s.login.ID, some(lost))
			v.Lost += int64(len(lost))
		}
		v.Doubled += int64(m.known(s))
	}
	settled(m.T, m.e)
	for file, roots := range map[string]string{"raw.ndjson": "site both", "copies.ndjson": "both"} {
		rows := rowPayloads(m.e, file, "")
		for list, qos := range map[*[]string]byte{&acked: 1, &two: 2} {
			var here []string
			for _, p := range *list {
				if strings.Contains(roots, p[:4]) {
					here = append(here, p)
				}
			}
			count := map[string]int{}
			for _, p := range rows {
				count[p]++
			}
			for _, p := range here {
				if n := count[p]; n == 0 || qos == 2 && n > 1 {
					m.Errorf("%s: %d times %q, published with QoS %d", file, n, p, qos)
					if n == 0 {
						v.Lost++
					} else {
						v.Doubled++
					}
				}
			}
		}
	}
	return v
}
