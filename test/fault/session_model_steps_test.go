package fault

import (
	"fmt"
	"strings"
	"time"

	"edged/internal/topic"
	"edged/test/rawmqtt"
)

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
