package intake

import (
	"context"
	"sync"
	"time"

	"edged"
)

// Session is what one MQTT session remembers of its publishes. It is the edged.Acker of all of them: the token names the
// entry in the line.
//
// A Session without a connection (an in-process publisher, or a client that is away and whose will is due) takes
// publishes as well; nobody is acknowledged then.
type Session struct {
	in     *Intake
	client string

	mu       sync.Mutex
	line     line
	ids      idTable
	due      []ack // for link, in order, not yet handed to its socket
	link     *Link // the connection in use; nil while the client is away
	bytes    int64 // that entries keep for subscribers, and to be retained
	zero     int   // entries of QoS 0 in the line
	room     chan struct{}
	over     bool   // the session has ended: nothing is remembered any more
	memory   Memory // of QoS 2; nil if the session ends with its connection
	removing int    // publishes that are being removed from it
	links    uint64 // connections so far
	user     uint64 // number of the connection that used a packet identifier last
}

// known is what is remembered about a packet identifier.
type known struct {
	token uint64 // the newest entry that had it
	qos   byte
	state state
	by    *Link // releasing: the connection that waits for PUBCOMP
	part  *part // inPart: what is stored
}

type state uint8

const (
	taken     state = iota // in the line
	due                    // acknowledgement waits for the socket of the connection in use
	owed                   // durable, and the connection ended before the acknowledgement was handed to a socket
	acked                  // QoS 2: PUBREC was handed to a socket, PUBREL has not come
	releasing              // QoS 2: PUBREL has come, and that is not durable yet
	inPart                 // QoS 2: some have stored it, and it was not acknowledged
)

// NewSession makes the memory of a new session.
func (in *Intake) NewSession(client string) *Session { return &Session{in: in, client: client} }

// Client is the client identifier.
func (s *Session) Client() string { return s.client }

// Link is one network connection of a session. Take, Offer and Release are called from the connection's reading
// goroutine, Collect and Written from its writing one.
type Link struct {
	s        *Session
	peer     Peer
	number   uint64 // of the session's connections, from 1
	v5       bool
	ctx      context.Context // ends with the connection, and when the intake stops
	cancel   context.CancelFunc
	patience patience

	// under s.mu
	unacked int  // publishes with QoS > 0 that the client still counts against the Receive Maximum
	closed  bool // nothing more is acknowledged on it

	sent []ack // the writing goroutine's: what the last Collect handed out
}

// Connect makes a new connection the one in use; the one before gets no further acknowledgement, and its Takes return.
// For at most patience a publish may wait for room; then it is refused.
func (s *Session) Connect(peer Peer, v5 bool, patience time.Duration) *Link {
	l := &Link{s: s, peer: peer, v5: v5}
	l.ctx, l.cancel = context.WithCancel(s.in.ctx)
	l.patience.base, l.patience.bound = l.ctx, patience
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.link != nil {
		s.link.detach()
	}
	s.links++
	s.link, l.number = l, s.links
	return l
}

// Close ends the connection. The session goes on: what was taken on it is remembered, and acknowledged when the client
// repeats it on another connection.
func (l *Link) Close() {
	l.s.mu.Lock()
	defer l.s.mu.Unlock()
	l.detach()
}

func (l *Link) detach() {
	l.cancel()
	l.closed = true
	s := l.s
	if s.link != l {
		return
	}
	s.link = nil
	n := 0
	for _, a := range s.due {
		if a.kind == pubcomp {
			continue
		}
		n++
		if k := s.ids.get(a.id); k != nil && k.token == a.token && a.code == CodeSuccess {
			k.state = owed
		}
	}
	s.due = nil
	s.line.shrink(0)
	s.in.settled(n)
	s.makeRoom()
}

// End ends the session: its connection, and the memory of its packet identifiers. What was taken is still stored, and
// delivered to its subscribers.
func (s *Session) End() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.link != nil {
		s.link.detach()
	}
	s.in.ids.Add(-int64(s.ids.len()))
	had := s.ids.slots
	s.ids, s.over = idTable{}, true
	if s.memory == nil {
		return
	}
	for _, k := range had {
		if k.id != 0 && k.qos == 2 && k.state != taken { // those leave the line later
			s.forgetDurably(k.id, nil)
		}
	}
}

// Behind reports whether publishes of QoS 0 wait in the line: a further one must then wait behind them (Take), instead of
// passing them (Offer). Only the publisher's own Takes make it true.
func (s *Session) Behind() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.zero > 0
}

func (s *Session) remember(id uint16, k known) {
	if !s.over && s.ids.put(id, k) {
		s.in.ids.Add(1)
	}
}

func (s *Session) forget(id uint16) {
	if s.ids.remove(id) {
		s.in.ids.Add(-1)
	}
}

// crowded reports whether the session remembers so many identifiers that it gets no further one: its client does not finish what
// it begins with QoS 2. When all sessions together remember too many, those with few have room still.
func (s *Session) crowded() bool {
	return s.ids.len() >= s.in.limits.Pending || s.ids.len() >= fewIDs && s.in.ids.Load() >= manyIDs
}

const (
	manyIDs = 100_000
	fewIDs  = 256
)

// waitForRoom returns a channel that is closed when there may be room in the session; nil if that is not what is missing.
func (s *Session) waitForRoom(missing bool) <-chan struct{} {
	if !missing {
		return nil
	}
	if s.room == nil {
		s.room = make(chan struct{})
	}
	return s.room
}

func (s *Session) makeRoom() {
	if s.room != nil {
		close(s.room)
		s.room = nil
	}
}

var _ edged.BatchAcker = (*Session)(nil)
