package broker

import (
	"sync"

	"edged"
	"edged/broker/intake"
	"edged/broker/wire"
)

// mostTogether bounds how many publishes are taken together: how long the others wait for the receiver's lock.
const mostTogether = 128

// together is what one read has brought of plain publishes to one receiver with one QoS: they are taken under one hold of each lock, and
// with one look at the clock. It is the reading goroutine's. Nothing of it outlasts the buffer that its payloads are in, and nothing that
// came after it is dealt with before it (take).
type together struct {
	to  edged.BatchHandler
	qos byte
	*gathered
}

// gathered are in a pool: a connection of which nothing is under way holds none.
type gathered struct {
	n   int
	ms  [mostTogether]edged.Message
	ids [mostTogether]uint16
}

var gatheredPool = sync.Pool{New: func() any { return new(gathered) }}

// plain reports whether a publish can be taken with others: nobody waits for it but its publisher and one receiver.
func (c *conn) plain(m *wire.Publish, r *route) bool {
	return m.QoS < 2 && !m.Dup && !m.Retain && c.rate == nil && r.batch != nil && !r.keep && !r.wanted() && !c.b.taps.any()
}

// gather keeps a plain publish until it is taken together with those after it.
func (c *conn) gather(m *wire.Publish, r *route) {
	t := &c.together
	if t.gathered != nil && (t.to != r.batch || t.qos != m.QoS || t.n == mostTogether) {
		c.takeGathered()
	}
	if t.gathered == nil {
		t.to, t.qos, t.gathered = r.batch, m.QoS, gatheredPool.Get().(*gathered)
	}
	to := &t.ms[t.n]
	to.Topic, to.Payload, to.QoS = r.name, m.Payload, m.QoS
	t.ids[t.n] = m.ID
	t.n++
}

// takeGathered takes what was gathered. It is called before anything else is dealt with, and before the buffer is read into again.
func (c *conn) takeGathered() {
	t := c.together
	if t.gathered == nil {
		return
	}
	c.together = together{}
	ms, n := t.ms[:t.n], 0
	var err error
	switch {
	case t.qos == 1:
		n, err = c.link.TakeTogether(t.to, ms, t.ids[:t.n])
		c.settled(err)
	case !c.session.in.Behind():
		n = c.link.OfferTogether(t.to, ms)
	}
	for ; n < len(ms) && (t.qos == 0 || !c.closed()); n++ { // what nobody sends again is counted, at least
		c.takeOne(&ms[n], t.ids[n], t.to)
	}
	clear(ms)
	t.n = 0
	gatheredPool.Put(t.gathered)
}

// takeOne takes one of those that could not be taken together.
func (c *conn) takeOne(m *edged.Message, id uint16, to edged.Handler) {
	p := &c.offer
	c.one[0] = to
	*p = intake.Publish{Message: *m, ID: id, To: c.one[:]}
	if p.QoS == 0 && !c.session.in.Behind() {
		c.settled(c.link.Offer(p))
		return
	}
	c.settled(c.link.Take(p))
}
