package broker

import (
	"cmp"
	"math"
	"slices"
	"sync"
	"sync/atomic"

	"edged"
	"edged/broker/record"
)

// outbox holds the deliveries with QoS 1 and 2 that a session has not acknowledged: those in flight, which have a packet
// identifier, and those that wait, because the client is away, its window is full, or it reads too slowly. It keeps them over
// connections, in order [MQTT-4.6.0-6]. Its methods do not block, and can be called from any goroutine.
type outbox struct {
	b *Broker
	s *session

	deaf [2]atomic.Bool // nothing is taken for the client for a moment, with QoS 0 or above: see turnDeaf

	mu      sync.Mutex
	c       *conn // nil while the client is away
	window  int   // most deliveries that may be unacknowledged on c [MQTT-3.3.4-9]
	open    int   // those that are
	flights map[uint16]*flight
	repeat  []*flight // in flight since an earlier connection, and not repeated on c yet
	waiting letters
	bytes   int   // of what waits, and of what is in flight
	mortal  int   // letters that wait and can expire
	swept   int64 // when the expired ones were last looked for, by the broker's clock
	heard   int64 // when the client has acknowledged something, likewise
	lastID  uint16
	number  uint64 // of the last change of a flight
	over    bool   // the session has ended

	// Of a session that is kept.
	touched bool       // something has changed since stand
	lowest  record.Ref // the lowest place that it needed then
	done    []*ended2
	held    []*flight // what waits for a commit, in order
	failing bool      // the store had no room: held is submitted again a little later
}

// letter is one delivery.
type letter struct {
	m      *message
	to     *grant
	qos    byte
	retain bool
	ref    record.Ref // of a session that is kept: where it is on disk; zero: nowhere yet
}

// flight is a delivery that was sent.
type flight struct {
	letter
	id        uint16
	number    uint64 // its place in the order of repeats
	released  bool   // QoS 2: PUBREC came, PUBREL was sent [MQTT-4.3.3-5]
	open      bool   // it counts against the window
	sent      bool   // PUBLISH was, on some connection
	held      bool   // QoS 2 in a session that is kept: what is to be sent waits for a commit
	fresh     bool   // and its letter is not on disk yet, but has a number for that
	durable   bool   // and the commit has come, but not that of one before it
	submitted bool   // and the store has it
	size      int    // bytes that it counts; 0 once it was released
}

// letterSize is what a letter that waits takes besides its payload, about.
const letterSize = 64

// size is what a letter counts. A retained message is there anyway.
func (l *letter) size() int {
	if l.retain {
		return letterSize
	}
	return letterSize + l.m.size()
}

// add delivers a letter, now or later. It is dropped and counted when it has QoS 0 and cannot be sent now, and when too many
// wait.
func (o *outbox) add(l letter) {
	if o.deaf[min(l.qos, 1)].Load() {
		o.drop(&l)
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.over {
		return
	}
	if l.qos == 0 {
		if o.c != nil {
			o.pass(l)
		}
		return
	}
	if o.mortal > 0 && o.full(l) {
		o.dropExpired()
	}
	if o.full(l) {
		o.turnDeaf(1, o.lively())
		o.drop(&l)
		return
	}
	o.grow(l.size())
	if o.waiting.len() == 0 && o.free() && o.dispatch(l) {
		return
	}
	if l.m.expiry > 0 {
		o.mortal++
	}
	o.waiting.push(l)
}

// pass sends a message of QoS 0.
func (o *outbox) pass(l letter) {
	pk := l.m.packet(0, l.retain, l.to.ids)
	switch o.c.deliver(&pk) {
	case delivered:
		o.b.met.delivered.Inc()
	case tooLarge:
		o.b.met.tooLarge.Inc()
		o.lost()
	case crowded:
		o.turnDeaf(0, o.c.takesSomething())
		o.drop(&l)
	}
}

// turnDeaf spares the work for a client that takes nothing, until it does, comes back, or is looked at again (hear), at the latest a
// second later: a few hundred clients that never read must not cost those who do.
func (o *outbox) turnDeaf(kind int, lively bool) {
	if !lively {
		o.deaf[kind].Store(true)
	}
}

// hear ends that.
func (o *outbox) hear() {
	for i := range o.deaf {
		if o.deaf[i].Load() {
			o.deaf[i].Store(false)
		}
	}
}

// drop counts a message for which there is no room.
func (o *outbox) drop(l *letter) {
	if l.qos == 0 {
		if o.b.met.congested.Inc(); o.lost() {
			o.b.seldom.Warn("congested", "broker: messages of QoS 0 are dropped for a client that reads too slowly", "client", o.s.id, "topic", l.m.topic)
		}
		return
	}
	if o.b.met.queueFull.Inc(); o.lost() {
		o.b.seldom.Warn("queue", "broker: a message for a subscriber was dropped: as much as max_queued_messages or max_queued_bytes waits for it",
			"client", o.s.id, "topic", l.m.topic)
	}
}

// lost counts a message that the client does not get, and reports whether that is worth a line: the first, the second, the fourth…
func (o *outbox) lost() (say bool) {
	n := o.s.lost.Add(1)
	return n&(n-1) == 0
}

// full reports whether a letter has no room. When all queues together have reached their bound, a session has room as long as it
// uses less than its share: a greedy one cannot take everything from the others. One letter has room even if it is larger
// than that, as long as those of all sessions do not add up to as much again.
func (o *outbox) full(l letter) bool {
	size, total, all := l.size(), int64(o.b.cfg.MaxQueuedTotal), o.b.queued.Load()
	switch {
	case o.waiting.len()+len(o.flights) >= o.b.cfg.MaxQueuedMessages:
		return true
	case o.bytes == 0 && all+int64(size) <= 2*total:
		return false
	case o.bytes+size > int(o.b.cfg.MaxQueuedBytes):
		return true
	}
	if o.lively() {
		total *= 3 // those who read and acknowledge have a part that the others cannot take
	}
	return all+int64(size) > total && int64(o.bytes+size) > total/(o.b.queues.Load()+1)
}

// lively reports whether the client is there, and has acknowledged something lately.
func (o *outbox) lively() bool { return o.c != nil && o.b.seconds.Load()-o.heard < livelyFor }

// livelyFor is how many seconds after it took something a client counts as one that takes what it is sent.
const livelyFor = 5

func (o *outbox) grow(n int) {
	o.touched = true
	if before := o.bytes; before == 0 && n > 0 {
		o.b.queues.Add(1)
	} else if before > 0 && before+n == 0 {
		o.b.queues.Add(-1)
	}
	o.bytes += n
	o.b.queued.Add(int64(n))
}

// dropExpired makes room, at most once a second: it looks at everything that waits.
func (o *outbox) dropExpired() {
	now := o.b.seconds.Load()
	if now == o.swept {
		return
	}
	o.swept = now
	o.waiting.delete(func(l *letter) bool {
		if !l.m.expired() {
			return false
		}
		o.mortal--
		o.grow(-l.size())
		o.forget(l)
		return true
	})
}

// attach sends on a connection from now on: first what is in flight [MQTT-4.4.0-1] [MQTT-4.6.0-1], then what waits.
func (o *outbox) attach(c *conn, window int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.hear()
	o.c, o.window, o.open, o.heard = c, window, 0, -livelyFor
	o.repeat = o.repeat[:0]
	for _, f := range o.flights {
		f.open = false
		o.repeat = append(o.repeat, f)
	}
	slices.SortFunc(o.repeat, func(a, b *flight) int { return cmp.Compare(a.number, b.number) })
	o.pump()
}

// detach stops sending.
func (o *outbox) detach() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.c = nil
}

// clear forgets everything: the session has ended. It returns what others can get in its place: messages of shared subscriptions
// that it has not acknowledged, except those of QoS 2 that were sent to it (MQTT 5, 4.8.2); and what is on disk of it.
func (o *outbox) clear() (left []letter, traces []edged.Put) {
	o.mu.Lock()
	defer o.mu.Unlock()
	traces = o.traces()
	for _, f := range o.flights {
		if f.qos == 1 && f.to.share != "" {
			left = append(left, f.letter)
		}
	}
	for l, ok := o.waiting.pop(); ok; l, ok = o.waiting.pop() {
		if l.to.share != "" {
			left = append(left, l)
		}
	}
	o.c, o.flights, o.repeat, o.done, o.held, o.over = nil, nil, nil, nil, nil, true
	o.grow(-o.bytes)
	return left, traces
}

// resume goes on sending on a connection whose backlog was too long.
func (o *outbox) resume(c *conn) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.hear()
	if o.c == c {
		o.pump()
	}
}

// ready reports whether a message would be sent at once, more or less.
func (o *outbox) ready() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.sending() && o.waiting.len() == 0
}

func (o *outbox) sending() bool { return o.c != nil && !o.c.closed() }

// pump sends what may be sent.
func (o *outbox) pump() {
	profile := o.s.profile.Load()
	for o.sending() && len(o.repeat) > 0 {
		f := o.repeat[0]
		switch {
		case o.flights[f.id] != f: // acknowledged before it was repeated
		case f.held: // durable comes
		case f.released:
			o.release(f.id, 0)
		case !profile.MayRead(f.m.topic): // any more
			o.b.met.denied.Inc()
			o.giveUp(f)
		case o.open >= o.window && !f.open || !o.send(f):
			return
		}
		o.repeat = o.repeat[1:]
	}
	for o.waiting.len() > 0 && o.free() && o.dispatch(*o.waiting.first()) {
		l, _ := o.waiting.pop()
		if l.m.expiry > 0 {
			o.mortal--
		}
	}
}

// free reports whether a letter can be sent now.
func (o *outbox) free() bool {
	return o.sending() && len(o.repeat) == 0 && o.open < o.window && len(o.flights) < math.MaxUint16
}

// dispatch sends a letter, or finds that nobody wants it any more; false if the connection takes nothing now.
func (o *outbox) dispatch(l letter) bool {
	if may := o.s.profile.Load().MayRead(l.m.topic); !may || l.m.expired() {
		if !may {
			o.b.met.denied.Inc()
		}
		o.grow(-l.size())
		o.forget(&l)
		return true
	}
	f := o.launch(l)
	if o.s.kept && f.qos == 2 {
		o.holdBack(f)
		return true
	}
	if o.send(f) {
		return true
	}
	delete(o.flights, f.id)
	o.lastID--
	return false
}

// launch gives a letter its packet identifier [MQTT-2.2.1-4]; there must be a free one.
func (o *outbox) launch(l letter) *flight {
	for {
		o.lastID++
		if o.lastID == 0 {
			continue
		}
		if _, used := o.flights[o.lastID]; !used {
			break
		}
	}
	if o.flights == nil {
		o.flights = map[uint16]*flight{}
	}
	o.number++
	f := &flight{letter: l, id: o.lastID, number: o.number, size: l.size()}
	o.flights[f.id] = f
	return f
}

// send is false if the connection takes nothing now: resume comes when it does.
func (o *outbox) send(f *flight) bool {
	pk := f.m.packet(f.qos, f.retain, f.to.ids)
	pk.ID, pk.Dup = f.id, f.sent // [MQTT-3.3.1-1]
	switch o.c.deliver(&pk) {
	case crowded, ended:
		return false
	case tooLarge:
		o.b.met.tooLarge.Inc()
		o.lost()
		o.giveUp(f) // [MQTT-3.1.2-25]
	case delivered:
		o.b.met.delivered.Inc()
		f.sent = true
		o.opens(f)
	}
	return true
}

// opens has a flight count against the window.
func (o *outbox) opens(f *flight) {
	if !f.open {
		f.open = true
		o.open++
	}
}

func (o *outbox) end(f *flight) {
	delete(o.flights, f.id)
	o.grow(-f.size)
	if f.open {
		o.open--
	}
	o.forgetFlight(f)
}
