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

	"edged/internal/topic"
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
	for end := time.Now().Add(long(5*time.Second, 30*time.Second)); time.Now().Before(end) && !t.Failed(); {
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

// numbers are those of messages, with their QoS and flag of repeats.
func numbers(ms []rawmqtt.Message) (text string) {
	for _, m := range ms {
		text += fmt.Sprintf(" %s/%d", strings.TrimLeft(m.Payload[len(modelTopics[0])+1:], "0"), m.QoS)
		if m.Dup {
			text += "+"
		}
	}
	return text
}

func (m *model) connect(s *modelSession) {
	present, err := s.come()
	must(m, err)
	m.note("%s connects: %v", s.login.ID, present)
	if !present && s.there || present && s.gone {
		m.Errorf("step %d: %s: session present is %v", len(m.steps)-1, s.login.ID, present)
	}
	if !present {
		s.reset()
	}
	s.gone = false
}

// startClean begins anew: in 5 with a subscription, in 3.1.1 the session is over when the connection is. Either way something is committed after it,
// which the end of the old session rides with.
func (m *model) startClean(s *modelSession) {
	m.note("%s starts clean", s.login.ID)
	m.known(s)
	s.login.Keep = false
	_, err := s.come()
	must(m, err)
	s.login.Keep = true
	s.reset()
	if s.login.V5 {
		m.subscribe(s)
		return
	}
	must(m, s.ping())
	s.w.T = m
	s.w.Disconnect()
	s.w, s.gone = nil, true
	m.publish(false)
}

func (m *model) subscribe(s *modelSession) {
	f, qos := pick(m.r, modelFilters), 1+byte(m.r.IntN(2))
	m.note("%s subscribes to %s with %d", s.login.ID, f, qos)
	must(m, s.subscribe(f, qos))
	s.filters[f], s.there = true, true
}

func (m *model) unsubscribe(s *modelSession) {
	f := pick(m.r, modelFilters)
	m.note("%s unsubscribes from %s", s.login.ID, f)
	must(m, s.unsubscribe(f))
	m.without(s, f)
	delete(s.filters, f)
	s.there = s.certain()
}

// without makes what waits because of a filter optional: the broker need not deliver it any more [MQTT-3.10.4-3].
func (m *model) without(s *modelSession, filter string) {
	for p := range s.due {
		if topic.Match(filter, p[:len(modelTopics[0])]) {
			s.due[p] = false
		}
	}
}

func (s *modelSession) certain() bool {
	for _, sure := range s.filters {
		if sure {
			return true
		}
	}
	return false
}

// takeSome takes a few messages and leaves; further ones were on their way, and are not answered.
func (m *model) takeSome(s *modelSession) {
	before := len(s.got)
	s.limit = before + m.r.IntN(5) + 1
	err := s.ping()
	m.note("%s takes some and leaves: %s", s.login.ID, numbers(s.got[before:]))
	must(m, err)
	s.leave()
	s.limit = 0
}

// publish publishes some messages, and waits for the acknowledgements unless they are cut off.
func (m *model) publish(cut bool) {
	p := pick(m.r, m.pubs)
	var ms []rawmqtt.Publish
	for range 1 + m.r.IntN(20) {
		m.last++
		tp := pick(m.r, modelTopics)
		ms = append(ms, rawmqtt.Publish{Topic: tp, QoS: 1 + byte(m.r.IntN(2)), Payload: fmt.Sprintf("%s %06d", tp, m.last)})
	}
	text := ""
	for _, msg := range ms {
		text += fmt.Sprintf(" %s/%d", msg.Payload, msg.QoS)
	}
	m.note("%s publishes%s", p.login.ID, text)
	for _, s := range m.sessions {
		for _, msg := range ms {
			for f, sure := range s.filters {
				if topic.Match(f, msg.Topic) {
					s.due[msg.Payload] = s.due[msg.Payload] || sure
				}
			}
		}
	}
	if p.w == nil {
		must(m, p.come())
	}
	must(m, p.send(ms...))
	if !cut {
		must(m, p.settle())
	}
}

// end ends a life of the gateway, and begins another.
func (m *model) end() {
	how := pick(m.r, []end{byKill, byKill, byKill, byKill, byKill, byTerm})
	var amid *modelSession
	var f string
	if s := pick(m.r, m.sessions); s.w != nil && m.r.IntN(2) == 0 {
		amid, f = s, pick(m.r, modelFilters)
	}
	if m.r.IntN(2) == 0 {
		m.publish(true)
	}
	if amid != nil {
		packet := rawmqtt.Subscribe(amid.login.V5, 77, f, 2)
		if m.r.IntN(2) == 0 {
			packet = rawmqtt.Unsubscribe(amid.login.V5, 77, f)
			m.without(amid, f)
		}
		m.note("%s sends %X", amid.login.ID, packet)
		_, _ = amid.w.Write(packet)
		amid.filters[f] = false
		for _, p := range m.pubs { // what is repeated after the restart may find the subscription made
			for _, l := range p.open {
				if _, known := amid.due[l.Payload]; !known && topic.Match(f, l.Topic) {
					amid.due[l.Payload] = false
				}
			}
		}
		amid.there = amid.certain()
	}
	time.Sleep(time.Duration(m.r.IntN(6)) * time.Millisecond)
	m.note("%s", how.name)
	how.now(m, m.e)
	if m.kills++; how.name == byTerm.name {
		m.kills--
		m.terms++
	}
	for _, s := range m.sessions {
		s.leave()
	}
	m.e.Start()
	for _, p := range m.pubs {
		p.leave()
		must(m, p.insist(20*time.Second))
	}
}

// known checks what a session has got so far: nothing that is not its, and with QoS 2 nothing twice.
func (m *model) known(s *modelSession) (doubled int) {
	for _, p := range s.payloads(0) {
		if _, ok := s.due[p]; !ok {
			m.Errorf("step %d: %s got %q", len(m.steps)-1, s.login.ID, p)
		}
	}
	_, twice := tally(nil, s.payloads(2))
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
		if lost, _ := tally(wanted, s.payloads(1)); len(lost) > 0 {
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
