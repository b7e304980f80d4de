package broker

import (
	"log/slog"
	"testing"
	"time"

	"edged"
	"edged/broker/record"
	"edged/test/await"

	"github.com/VictoriaMetrics/metrics"
)

// stillLife is a broker that does not run, with a session that is kept.
func stillLife(t *testing.T, p *page) (*Broker, *book, *session) {
	t.Helper()
	return stillLifeOf(t, p, func(*Config) {})
}

func stillLifeOf(t *testing.T, p *page, change func(*Config)) (*Broker, *book, *session) {
	t.Helper()
	b, cfg := newBook(p), Default()
	change(cfg)
	x, err := New(cfg, Options{Log: slog.New(slog.NewTextHandler(&await.Log{}, nil)), Metrics: metrics.NewSet(), Store: b})
	if err != nil {
		t.Fatal(err)
	}
	x.AttachOwn("own", b.carrier())
	s := x.sessions.byID["c"]
	if s == nil {
		s = x.sessions.create("c", "", true)
		s.keep, s.away = time.Hour, time.Now()
		x.keeping.begin(s)
		s.out.touch()
	}
	return x, b, s
}

func letterAt(qos byte, seq uint64) letter {
	return letter{m: &message{topic: "a", payload: []byte("m"), qos: qos}, to: &grant{qos: qos}, qos: qos, ref: edged.Pos{Seq: seq}}
}

// TestAMarkIsTheLowestOfAll: letters that wait, what was not through the fan-out, and deliveries whose identifier is not durable keep it.
func TestAMarkIsTheLowestOfAll(t *testing.T) {
	for _, c := range []struct {
		name       string
		low        uint64
		waits      []uint64
		flights    []flight
		mark, hold uint64
		again      bool // it is looked at again with the next ride
	}{
		{name: "nothing waits", low: 9, hold: 9},
		{name: "a letter waits", low: 9, waits: []uint64{5, 7}, mark: 5, hold: 5},
		{name: "letters out of order", low: 9, waits: []uint64{7, 5}, mark: 5, hold: 5},
		{name: "the fan-out is behind", low: 4, waits: []uint64{5}, mark: 4, hold: 4, again: true},
		{name: "QoS 1 under way", low: 9, waits: []uint64{7}, flights: []flight{{id: 1, letter: letterAt(1, 3)}}, mark: 7, hold: 3},
		{name: "QoS 2 under way", low: 9, flights: []flight{{id: 1, letter: letterAt(2, 3)}}, hold: 3},
		{name: "QoS 2 not durable", low: 9, flights: []flight{{id: 1, held: true, letter: letterAt(2, 3)}}, mark: 3, hold: 3},
		{name: "PUBREC not durable", low: 9, flights: []flight{{id: 1, held: true, released: true, letter: letterAt(2, 3)}}, hold: 3},
		{name: "PUBREC durable", low: 9, flights: []flight{{id: 1, released: true, letter: letterAt(2, 3)}}, hold: 9},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, s := stillLife(t, nil)
			o := &s.out
			o.flights = map[uint16]*flight{}
			for _, seq := range c.waits {
				o.waiting.push(letterAt(1, seq))
			}
			for _, f := range c.flights {
				o.flights[f.id] = &f
			}
			w := &writing{low: c.low, hold: c.low}
			got, changed := o.stand(w)
			if !changed || got.mark != (record.Ref{Seq: c.mark}) || w.hold != c.hold || o.touched != c.again {
				t.Errorf("mark %v, hold %d, again %t", got.mark, w.hold, o.touched)
			}
			if w = (&writing{low: 20, hold: 20}); !o.touched {
				if _, changed := o.stand(w); changed || w.hold != c.hold && c.hold != c.low {
					t.Errorf("looked at again: changed %t, hold %d", changed, w.hold)
				}
			}
		})
	}
}

// TestLettersThatHoldTheLogAreCopied: in their order, those under way first, and no further than the middle of what is held.
func TestLettersThatHoldTheLogAreCopied(t *testing.T) {
	x, b, s := stillLife(t, nil)
	b.page.end = 101
	x.keeping.hold, x.keeping.most = 1, 5000 // 100 bytes an entry
	o := &s.out
	o.flights = map[uint16]*flight{
		7: {id: 7, number: 1, sent: true, letter: letterAt(2, 1)}, 3: {id: 3, number: 2, sent: true, letter: letterAt(1, 2)}, 5: {id: 5, number: 3, sent: true, letter: letterAt(2, 3)},
	}
	for seq := uint64(10); seq <= 100; seq += 10 {
		o.waiting.push(letterAt(1, seq))
	}
	x.keeping.soon.Store(true)
	for range 3 { // the middle moves on
		u := &edged.Update{}
		x.Ride(u)
		b.put(b.page, u)
	}
	if x.keeping.hold < 50 {
		t.Fatalf("the log is held from %d", x.keeping.hold)
	}
	if b.size(record.Inflight) != 2 {
		t.Errorf("%d halves", b.size(record.Inflight))
	}
	b.page.entries = map[uint64]edged.Entry{}
	for seq := uint64(10); seq <= 100; seq += 10 { // what the log still has
		b.page.entries[seq] = edged.Entry{Seq: seq, Block: &edged.Block{
			Seq: seq, Topics: []string{"a"}, Topic: []uint32{0}, Flags: []uint8{1 | edged.FlagKept}, End: []uint32{1}, Data: []byte("m"),
		}}
	}
	b.page.values[record.Subscriptions] = map[string][]byte{record.SubscriptionKey("c", "a"): (&record.Subscription{QoS: 1}).Append(nil)}
	_, _, s = stillLife(t, b.page)
	var ids []uint16
	for _, f := range s.out.inOrder() {
		ids = append(ids, f.id)
	}
	if len(ids) != 3 || ids[0] != 7 || ids[1] != 3 || ids[2] != 5 {
		t.Errorf("under way: %v", ids)
	}
	if n := s.out.waiting.len(); n != 10 {
		t.Errorf("%d wait", n)
	}
}
