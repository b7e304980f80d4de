package broker

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"edged"
	"edged/broker/record"
)

// told is a message of a log that a test makes: its publisher, topic and QoS.
type told struct {
	publisher, topic string
	qos              byte
}

// logged is a page with a session "c" and these messages in the log, at 1, 3, 5…; they have RETAIN, and expire in the end.
func logged(subs map[string]record.Subscription, ms ...told) *page {
	p := filled(len(ms), record.Session{Keep: 100, Away: 50})
	clear(p.values[record.Subscriptions])
	for filter, sub := range subs {
		p.values[record.Subscriptions][record.SubscriptionKey("c", filter)] = sub.Append(nil)
	}
	for i, m := range ms {
		b := p.entries[uint64(2*i+1)].Block
		b.Topics, b.Flags = []string{m.topic}, []uint8{m.qos | edged.FlagKept | edged.FlagRetain}
		b.Extras = []edged.BlockExtra{{Data: (&record.Extra{Expiry: math.MaxInt64 >> 2}).Append(nil)}}
		if m.qos == 2 && m.publisher != "" {
			b.Origins = []edged.BlockOrigin{{Origin: edged.Origin{Client: m.publisher, PacketID: 1}}}
		}
	}
	return p
}

// TestRestoreWhatWasBeforeASubscription: a message that became durable together with a subscription is given to it, unless a later one of its line was
// sent and it was not. Nothing else is touched, and nothing that came after SUBACK.
func TestRestoreWhatWasBeforeASubscription(t *testing.T) {
	p, q := told{"p", "a", 2}, told{"q", "a", 2}
	sent := func(seqs ...uint64) map[uint64]record.Half {
		m := map[uint64]record.Half{}
		for _, seq := range seqs {
			m[seq] = record.Half{ID: uint16(seq)}
		}
		return m
	}
	made := record.Subscription{QoS: 2, RetainAsPublished: true, Born: 1, Sure: 7} // with the first three of those
	raised := func(sure uint64) record.Subscription {
		return record.Subscription{QoS: 2, Past: []record.Past{{QoS: 1, Until: 1, Sure: sure}}}
	}
	type subs = map[string]record.Subscription
	for _, c := range []struct {
		name  string
		subs  subs
		ms    []told
		sent  map[uint64]record.Half
		qos1  []record.Flight
		waits []string // number and QoS
	}{
		{name: "new", subs: subs{"a": made}, ms: []told{p, p, p, p}, sent: sent(5), waits: []string{"3/2"}},
		{name: "new, and sent were some after it", subs: subs{"a": made}, ms: []told{p, p, p, p, p}, sent: sent(7, 9), waits: nil},
		{name: "released", subs: subs{"a": made}, ms: []told{p, p, p}, sent: map[uint64]record.Half{5: {ID: 3, State: record.Released}}, waits: nil},
		{name: "done", subs: subs{"a": made}, ms: []told{p, p, p}, sent: map[uint64]record.Half{5: {ID: 3, State: record.Done}}, waits: nil},
		{name: "nothing was sent", subs: subs{"a": made}, ms: []told{p, p, p, p}, waits: []string{"0/2", "1/2", "2/2", "3/2"}},
		{name: "one with QoS 1 was sent", subs: subs{"a": made}, ms: []told{p, p, {"p", "a", 1}, p}, qos1: []record.Flight{{ID: 3, Ref: record.Ref{Seq: 5}}}, waits: []string{"0/2", "1/2", "3/2"}},
		{name: "one before it was sent", subs: subs{"a": made}, ms: []told{p, p, p}, sent: sent(1), waits: []string{"1/2", "2/2"}},
		{name: "what comes with QoS 1", subs: subs{"a": made}, ms: []told{{"p", "a", 1}, p, p}, sent: sent(5), waits: []string{"0/1"}},
		{name: "another publisher's was sent", subs: subs{"a": made}, ms: []told{p, q, q, p}, sent: sent(5), waits: []string{"0/2", "3/2"}},
		{name: "one of another topic was sent", subs: subs{"#": made}, ms: []told{p, {"p", "b", 2}, p}, sent: sent(3), waits: []string{"0/2", "2/2"}},
		{name: "nobody knows whose they are", subs: subs{"a": made}, ms: []told{{"", "a", 2}, {"", "a", 2}}, sent: sent(3), waits: []string{"0/2"}},
		{name: "after it is sure", subs: subs{"a": {QoS: 2, Born: 1, Sure: 3}}, ms: []told{p, p, p}, sent: sent(5), waits: []string{"1/2"}},
		{name: "nothing is known of its commit", subs: subs{"a": {QoS: 2, Born: 1}}, ms: []told{p, p, p}, sent: sent(5), waits: []string{"0/2", "1/2"}},
		{name: "it was made at once", subs: subs{"a": {QoS: 2, Born: 1, Sure: 1}}, ms: []told{p, p, p}, sent: sent(5), waits: []string{"0/2", "1/2"}},
		{name: "two, of which one is sure", subs: subs{"a": made, "#": {QoS: 1}}, ms: []told{p, p, p}, sent: sent(5), waits: []string{"0/1", "1/1"}},
		{name: "two, of which one is sure, with QoS 2", subs: subs{"a": made, "#": {QoS: 2}}, ms: []told{p, p, p}, sent: sent(5), waits: []string{"0/2", "1/2"}},
		{name: "two, of which one is of no use", subs: subs{"a": made, "#": {QoS: 0}}, ms: []told{p, p, p}, sent: sent(5), waits: nil},
		{name: "two, of which one is sure earlier", subs: subs{"a": made, "#": {QoS: 2, Born: 1, Sure: 3}}, ms: []told{p, p, p}, sent: sent(5), waits: []string{"1/2"}},
		{name: "raised", subs: subs{"a": raised(5)}, ms: []told{p, p, p, p}, sent: sent(5), waits: []string{"0/1", "1/1", "3/2"}},
		{name: "raised, and nothing was sent", subs: subs{"a": raised(5)}, ms: []told{p, p, p}, waits: []string{"0/2", "1/2", "2/2"}},
		{name: "raised, and sure after the first", subs: subs{"a": raised(3)}, ms: []told{p, p, p}, sent: sent(5), waits: []string{"0/1", "1/2"}},
		{name: "raised, nothing is known of the commit", subs: subs{"a": raised(0)}, ms: []told{p, p, p}, sent: sent(5), waits: []string{"0/2", "1/2"}},
		{name: "raised from 0", subs: subs{"a": {QoS: 2, Past: []record.Past{{QoS: 0, Until: 1, Sure: 5}}}}, ms: []told{p, p, p}, sent: sent(5), waits: nil},
		{name: "raised after it was sure", subs: subs{"a": {QoS: 2, Born: 1, Sure: 1, Past: []record.Past{{QoS: 1, Until: 1, Sure: 5}}}}, ms: []told{p, p, p}, sent: sent(5), waits: []string{"0/1", "1/1"}},
		{name: "raised since", subs: subs{"a": {QoS: 2, Born: 1, Sure: 3, Past: []record.Past{{QoS: 1, Until: 3, Sure: 5}}}}, ms: []told{p, p, p}, sent: sent(5), waits: []string{"0/1", "1/1"}},
		{name: "it waits again", subs: subs{"a": made}, ms: []told{p, p, p}, sent: map[uint64]record.Half{1: {ID: 9}, 3: {ID: 9}, 5: {ID: 4}}, waits: []string{"0/2"}},
		{name: "shared", subs: subs{"a": made, "$share/g/a": made}, ms: []told{p, p, p}, sent: sent(5), waits: []string{"0/2", "1/2", "2/2"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			page := logged(c.subs, c.ms...)
			for seq, h := range c.sent {
				half(page, seq, h)
			}
			if len(c.qos1) > 0 {
				page.values[record.Sessions]["c"] = (&record.Session{Keep: 100, Away: 50, Flights: c.qos1}).Append(nil)
			}
			x, _, s := stillLife(t, page)
			var got []string
			s.out.waiting.each(func(l *letter) { got = append(got, fmt.Sprintf("%s/%d", l.m.payload, l.qos)) })
			if !slices.Equal(got, c.waits) || s.lost.Load() > 0 || x.met.queueFull.Get() > 0 {
				t.Errorf("there wait %q, want %q; %d were dropped", got, c.waits, s.lost.Load())
			}
			s.balanced(t)
		})
	}
}

// balanced checks what an outbox counts.
func (s *session) balanced(t *testing.T) {
	t.Helper()
	bytes, mortal := 0, 0
	s.out.waiting.each(func(l *letter) {
		bytes += l.size()
		if l.m.expiry > 0 {
			mortal++
		}
	})
	for _, f := range s.out.flights {
		bytes += f.size
	}
	queues := int64(0)
	if bytes > 0 {
		queues = 1
	}
	if o := &s.out; o.bytes != bytes || o.mortal != mortal || o.b.queued.Load() != int64(bytes) || o.b.queues.Load() != queues {
		t.Errorf("counted are %d bytes, %d that can expire, %d bytes of %d sessions; there are %d and %d", o.bytes, o.mortal, o.b.queued.Load(), o.b.queues.Load(), bytes, mortal)
	}
}
