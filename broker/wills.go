package broker

import (
	"context"
	"errors"
	"sync"
	"time"

	"edged"
	"edged/broker/wire"
)

// will is what a client wants published when its connection ends without a DISCONNECT.
type will struct {
	m     *message
	delay time.Duration
	life  uint32 // Message Expiry Interval, counted from its publication (MQTT 5, 3.1.3.2.4), if it has one

	mortal bool
}

// willOf is nil if the client leaves none. Whose it is shows when it is published.
func willOf(p *wire.Connect) *will {
	w := p.Will
	if w == nil {
		return nil
	}
	return &will{
		m:     &message{topic: w.Topic, payload: w.Payload, props: w.Props, qos: w.QoS, retain: w.Retain},
		delay: time.Duration(w.Delay) * time.Second, life: w.Expiry, mortal: w.HasExpiry,
	}
}

// size is what it counts among the deposits.
func (w *will) size() int { return w.m.size() }

// wills publishes them: they are stored, retained and delivered like any publish, and in the same order. A will that no
// receiver can take in time is dropped and counted, because nobody can send it again.
//
// They are kept in memory: wills that wait when edged stops are not published, and stopping edged does not publish those
// of its clients, who will be back (MQTT 3.1.1, 3.1.2.5: a server may defer them).
type wills struct {
	b       *Broker
	stopped bool           // under sessions.mu
	wg      sync.WaitGroup // of timers that fired
}

// lateWill is a will that waits for its delay. Its fields are guarded by sessions.mu; its methods but fire are called with
// it.
type lateWill struct {
	ws        *wills
	s         *session
	w         *will
	timer     *time.Timer
	withdrawn bool
}

// due is called when a connection has ended. Its will is withdrawn if it had said goodbye.
func (ws *wills) due(c *conn) {
	w, s := c.will, c.session
	c.will = nil
	if w == nil || s == nil {
		return
	}
	ss := &ws.b.sessions
	ss.mu.Lock()
	ended := ss.byID[s.id] != s
	taken := !ended && s.conn != c
	delay := min(w.delay, s.keep) // the end of the session ends the delay (MQTT 5, 3.1.3.2.2)
	if !ended && !taken && delay > 0 {
		s.late = &lateWill{ws: ws, s: s, w: w}
		s.late.timer = time.AfterFunc(delay, s.late.fire)
	}
	ss.mu.Unlock()
	switch {
	case taken && w.delay > 0: // its client is back [MQTT-3.1.3-9]
		ws.b.deposits.give(w.size())
	case ended || taken || delay == 0:
		ws.publish(s, w)
	}
}

// cancel withdraws it.
func (l *lateWill) cancel() {
	if l != nil {
		l.withdrawn = true
		l.timer.Stop()
		l.ws.b.deposits.give(l.w.size())
	}
}

// now publishes it before its time, because its session ends.
func (l *lateWill) now() {
	if l != nil && l.timer.Stop() {
		l.timer.Reset(0)
	}
}

func (l *lateWill) fire() {
	ss := &l.ws.b.sessions
	ss.mu.Lock()
	if l.withdrawn || l.ws.stopped {
		ss.mu.Unlock()
		return
	}
	l.s.late = nil
	l.ws.wg.Add(1)
	ss.mu.Unlock()
	defer l.ws.wg.Done()
	l.ws.publish(l.s, l.w)
}

func (ws *wills) publish(s *session, w *will) {
	defer ws.b.deposits.give(w.size())
	defer func() {
		if v := recover(); v != nil {
			ws.b.panicked(s.id, "", "publishing the will of", v, []byte(w.m.topic))
		}
	}()
	m := *w.m
	m.origin = s.id
	if w.mortal {
		m.expiresIn(w.life)
	}
	if !s.profile.Load().MayWrite(m.topic) {
		ws.b.met.denied.Inc()
		ws.b.seldom.Warn("will", "broker: the will of a client was dropped", "client", s.id, "topic", m.topic, "error", errDenied)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), maxPatience)
	defer cancel()
	err := ws.b.publish(ctx, s.in, &s.lane, &m, nil)
	if err != nil && !errors.Is(err, edged.ErrStopped) {
		ws.b.seldom.Warn("will", "broker: the will of a client was dropped", "client", s.id, "topic", m.topic, "error", err)
	}
}

// stop withdraws every will that waits, and waits for those being published.
func (ws *wills) stop() {
	ss := &ws.b.sessions
	ss.mu.Lock()
	ws.stopped = true
	for _, s := range ss.byID {
		s.late.cancel()
		s.late = nil
	}
	ss.mu.Unlock()
	ws.wg.Wait()
}
