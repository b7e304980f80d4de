package broker

import (
	"fmt"
	"slices"
	"testing"

	"edged"
	"edged/broker/record"
)

// filled is a page with a session "c" that subscribes to a with QoS 2, and n kept messages in the log, at 1, 3, 5….
func filled(n int, rec record.Session) *page {
	p := newBook(nil).page
	set := func(space, key string, value []byte) {
		if p.values[space] == nil {
			p.values[space] = map[string][]byte{}
		}
		p.values[space][key] = value
	}
	set(record.Sessions, "c", rec.Append(nil))
	set(record.Subscriptions, record.SubscriptionKey("c", "a"), (&record.Subscription{QoS: 2}).Append(nil))
	for i := range n {
		seq, text := uint64(2*i+1), fmt.Sprint(i)
		p.entries[seq] = edged.Entry{Seq: seq, Block: &edged.Block{
			Seq: seq, Topics: []string{"a"}, Topic: []uint32{0}, Flags: []uint8{2 | edged.FlagKept}, End: []uint32{uint32(len(text))}, Data: []byte(text),
		}}
	}
	p.end = uint64(2*n + 1)
	p.cursors[record.Cursor] = edged.Cursor{Name: record.Cursor, Need: edged.SpansFrom(1), Data: (&record.Marks{Number: 7, Mark: 1}).Append(nil)}
	p.values[record.Inflight], p.values[record.Queues], p.values[edged.SpaceReceived] = map[string][]byte{}, map[string][]byte{}, map[string][]byte{}
	return p
}

// waits are the payloads that wait for a session.
func (s *session) waits() (out []string) {
	s.out.waiting.each(func(l *letter) { out = append(out, string(l.m.payload)) })
	return out
}

func half(p *page, seq uint64, h record.Half) {
	p.values[record.Inflight][record.InflightKey("c", record.Ref{Seq: seq})] = h.Append(nil)
}

// TestRestoreDamaged: whatever cannot be read is counted and passed over, and the rest is there.
func TestRestoreDamaged(t *testing.T) {
	everything := []string{"0", "1", "2"}
	for _, c := range []struct {
		name   string
		damage func(p *page)
		want   []string
		bad    uint64
	}{
		{"nothing", func(*page) {}, everything, 0},
		{"the session", func(p *page) { p.values[record.Sessions]["c"] = []byte("damaged") }, everything, 1},
		{"what the session says", func(p *page) { p.values[record.Sessions]["c"] = []byte("{") }, everything, 1},
		{"the subscription", func(p *page) { p.values[record.Subscriptions]["c\x00a"] = []byte("damaged") }, everything, 1},
		{"a filter", func(p *page) { p.values[record.Subscriptions]["c\x00a/#/b"] = []byte("{}") }, everything, 1},
		{"a half", func(p *page) { half(p, 3, record.Half{}) }, everything, 1},
		{"the key of a half", func(p *page) { p.values[record.Inflight]["c\x00short"] = []byte{0, 1, 0} }, everything, 1},
		{"a letter", func(p *page) { p.values[record.Queues][record.QueueKey("c", 4)] = []byte("damaged") }, everything, 1},
		{"the cursor", func(p *page) {
			p.cursors[record.Cursor] = edged.Cursor{Name: record.Cursor, Need: edged.SpansFrom(1), Data: []byte("damaged")}
		}, everything, 1},
		{"an entry of the log", func(p *page) { p.entries[3] = edged.Entry{Seq: 3, Err: errTorn} }, []string{"0", "2"}, 1},
		{"an extra", func(p *page) {
			b := *p.entries[3].Block
			b.Extras = []edged.BlockExtra{{Index: 0, Data: []byte{9}}}
			p.entries[3] = edged.Entry{Seq: 3, Block: &b}
		}, everything, 1},
		{"a received publish", func(p *page) { p.values[edged.SpaceReceived]["c\x00\x00\x05"] = []byte("damaged") }, everything, 1},
		{"what is nobody's", func(p *page) {
			p.values[record.Subscriptions]["gone\x00a"] = []byte("{}")
			p.values[record.Queues][record.QueueKey("gone", 1)] = nil
			p.values[edged.SpaceReceived]["gone\x00\x00\x05"] = []byte{0}
		}, everything, 2},
		{"a log that has become shorter", func(p *page) {
			p.values[record.Subscriptions]["c\x00a"] = (&record.Subscription{QoS: 2, Born: 90}).Append(nil)
			p.end = 9
			p.entries[8] = edged.Entry{Seq: 8, Block: p.entries[5].Block}
		}, nil, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := filled(3, record.Session{Keep: 100, Away: 50})
			c.damage(p)
			x, b, s := stillLife(t, p)
			if got := s.waits(); !slices.Equal(got, c.want) {
				t.Errorf("there wait %q, want %q", got, c.want)
			}
			if n := x.met.badSessions.Get(); n != c.bad {
				t.Errorf("%d are counted as unreadable", n)
			}
			for _, sub := range s.subs {
				if sub.place > b.End() {
					t.Errorf("it gets nothing before %d, and the log ends at %d", sub.place, b.End())
				}
			}
			b.commit(enough)
			if n := b.size(edged.SpaceReceived); n != 0 {
				t.Errorf("%d received publishes are left", n)
			}
			if b.size(record.Subscriptions) > 2 || b.size(record.Queues) > 0 {
				t.Error("what is nobody's is left")
			}
		})
	}
}

// TestRestoreHalves: a delivery with QoS 2 goes on where it was.
func TestRestoreHalves(t *testing.T) {
	for _, c := range []struct {
		name    string
		make    func(p *page)
		mark    uint64
		waits   []string
		flights string // identifier and payload, or "released"
		done    int
		lost    uint64
		again   bool
	}{
		{name: "sent", make: func(p *page) { half(p, 3, record.Half{ID: 9}) }, waits: []string{"0", "2"}, flights: "9 1"},
		{name: "sent, behind the mark", make: func(p *page) { half(p, 3, record.Half{ID: 9}) }, mark: 5, waits: []string{"2"}, flights: "9 1"},
		{name: "released", make: func(p *page) { half(p, 3, record.Half{ID: 9, State: record.Released}) }, waits: []string{"0", "2"}, flights: "9 released"},
		{name: "done", make: func(p *page) { half(p, 3, record.Half{ID: 9, State: record.Done}) }, waits: []string{"0", "2"}, done: 1},
		{name: "sent, and nowhere", make: func(p *page) { half(p, 3, record.Half{ID: 9}); delete(p.entries, 3) }, waits: []string{"0", "2"}, flights: "9 released", lost: 1},
		{name: "sent, and nobody subscribes", make: func(p *page) {
			half(p, 3, record.Half{ID: 9})
			clear(p.values[record.Subscriptions])
		}, flights: "9 1"},
		{name: "an identifier used again after PUBCOMP", make: func(p *page) {
			half(p, 1, record.Half{ID: 9, State: record.Released})
			half(p, 3, record.Half{ID: 9})
		}, waits: []string{"2"}, flights: "9 1", done: 1},
		{name: "and released again", make: func(p *page) {
			half(p, 1, record.Half{ID: 9, State: record.Released})
			half(p, 3, record.Half{ID: 9, State: record.Released})
		}, waits: []string{"2"}, flights: "9 released", done: 1},
		{name: "an identifier used again after PUBACK", make: func(p *page) {
			half(p, 3, record.Half{ID: 9})
			p.values[record.Sessions]["c"] = (&record.Session{Keep: 100, Flights: []record.Flight{{ID: 9, Ref: record.Ref{Seq: 1}}}}).Append(nil)
		}, waits: []string{"0", "2"}, flights: "9 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			rec := record.Session{Keep: 100}
			if c.mark > 0 {
				rec.Mark = &record.Ref{Seq: c.mark}
			}
			p := filled(3, rec)
			c.make(p)
			_, _, s := stillLife(t, p)
			var flights string
			for _, f := range s.out.inOrder() {
				if flights = fmt.Sprint(f.id, " "); f.released {
					flights += "released"
				} else {
					flights += string(f.m.payload)
				}
			}
			if got := s.waits(); !slices.Equal(got, c.waits) || flights != c.flights || len(s.out.done) != c.done || s.lost.Load() != c.lost || len(s.out.flights) > 1 {
				t.Errorf("there wait %q; under way %q; done %d; lost %d", got, flights, len(s.out.done), s.lost.Load())
			}
		})
	}
}

// A client that kept up was sent most of what has come since the marks were written. That does not take the place of what was not, however
// little may wait for it.
func TestRestoreMakesRoomForWhatWasNotSent(t *testing.T) {
	for _, c := range []struct {
		name string
		rec  record.Session
		most int
		want int
	}{
		{"kept up", record.Session{Keep: 100}, 5, 20},
		{"was away", record.Session{Keep: 100, Away: 9}, 5, 5},
		{"was full", record.Session{Keep: 100, Mark: &record.Ref{Seq: 1}}, 5, 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := filled(20, c.rec)
			low := uint64(1)
			if c.rec.Mark != nil {
				low = 21
			}
			p.cursors[record.Cursor] = edged.Cursor{Name: record.Cursor, Need: edged.SpansFrom(1), Data: (&record.Marks{Number: 7, Mark: low}).Append(nil)}
			_, _, s := stillLifeOf(t, p, func(cfg *Config) { cfg.MaxQueuedMessages = c.most })
			if n := s.out.waiting.len(); n != c.want {
				t.Errorf("%d wait", n)
			}
		})
	}
}

// TestRestoreGivesWhatWasGranted: a message comes with the QoS of the subscriptions that there were when it was published, not of those made since.
func TestRestoreGivesWhatWasGranted(t *testing.T) {
	for _, c := range []struct {
		name string
		subs map[string]record.Subscription
		want []byte
	}{
		{"one", map[string]record.Subscription{"a": {QoS: 1}}, []byte{1, 1, 1}},
		{"a better one since", map[string]record.Subscription{"#": {QoS: 1}, "a": {QoS: 2, Born: 4}}, []byte{1, 1, 2}},
		{"raised since", map[string]record.Subscription{"a": {QoS: 2, Was: 1, Changed: 4}}, []byte{1, 1, 2}},
		{"lowered since", map[string]record.Subscription{"a": {QoS: 0, Was: 2, Changed: 4}}, []byte{2, 2}},
		{"raised from 0", map[string]record.Subscription{"a": {QoS: 2, Changed: 4}}, []byte{2}},
		{"changed twice since", map[string]record.Subscription{"a": {QoS: 0, Past: []record.Past{{QoS: 1, Until: 3}, {QoS: 2, Until: 4}}}}, []byte{1, 2}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := filled(3, record.Session{Keep: 100, Away: 50})
			clear(p.values[record.Subscriptions])
			for filter, sub := range c.subs {
				p.values[record.Subscriptions][record.SubscriptionKey("c", filter)] = sub.Append(nil)
			}
			_, _, s := stillLife(t, p)
			var got []byte
			s.out.waiting.each(func(l *letter) { got = append(got, l.qos) })
			if !slices.Equal(got, c.want) {
				t.Errorf("QoS %v, want %v", got, c.want)
			}
		})
	}
}
