package batches

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"edged"
	"edged/internal/conf"

	"pgregory.net/rapid"
)

// What leaves a join is never late for the windows behind it: they count what the join gives without them, and none leaves twice.
func TestNothingIsLateBehindAJoin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := joining("b", time.Duration(rapid.IntRange(1, 20).Draw(t, "within"))*time.Second)
		c.Outer = rapid.Bool().Draw(t, "outer")
		if rapid.Bool().Draw(t, "event time") {
			c.Time, c.AllowedLateness, c.Idle = "ts", conf.Duration(rapid.SampledFrom([]time.Duration{0, 5 * time.Second}).Draw(t, "lateness")), conf.Duration(10*time.Second)
		}
		log := drawJoinLog(t)
		rows := len(cellsOf(t, run(t, c, log)))
		c.Select, c.Window, c.Aggregate = nil, rapid.SampledFrom([]string{"tumbling 2s", "sliding 4s every 4s", "session 2s"}).Draw(t, "window"), conf.Pairs{{Key: "n", Value: "count()"}}
		p := mustPlan(t, c)
		m := newMemStore(p)
		s := newStream(c, p, m)
		open(t, s)
		for _, e := range log {
			m.add(e)
		}
		endOfTime(m)
		step(t, s)
		n, seen := 0, map[string]bool{}
		for _, row := range cellsOf(t, m, "n", "window_start", "window_end", "epoch", "partial") {
			count, window, _ := strings.Cut(row, " ")
			if seen[window] {
				t.Fatalf("window %s leaves twice", window)
			}
			seen[window] = true
			k := 0
			fmt.Sscan(count, &k)
			n += k
		}
		if n != rows || s.lost > 0 {
			t.Fatalf("%d rows are in windows, %d were lost, of %d", n, s.lost, rows)
		}
	})
}

// The other side may be known by its topic.
func TestLevelsOfBothTopicsAreJoined(t *testing.T) {
	c := joining("a", time.Minute)
	c.On, c.JoinTopics = conf.Pairs{{Key: "topic[1]", Value: "topic[1]"}, {Key: "topic[9]", Value: `"x"`}}, []string{"site/+/humidity"}
	for _, levels := range []int{2, 1} {
		c.On = c.On[:levels]
		p := mustPlan(t, c)
		m := newMemStore(p)
		s := newStream(c, p, m)
		open(t, s)
		gets(t, s, m, "a", 1001, reading(7, 1), msg{topic: "site/7/humidity", payload: `{"value":60}`}, reading(8, 2), msg{topic: "site/9/humidity", payload: `{"value":70}`})
		m.addTick("a", edged.Instant{Wall: 2000 * sec})
		step(t, s)
		got := cellsOf(t, m, "value", "of")
		if want := []string{"1 60"}; levels == 1 && !slices.Equal(got, want) || levels == 2 && len(got) > 0 {
			t.Errorf("%d levels: got %q", levels, got)
		}
	}
}

// Rows of one moment stay different ones over restarts, and a pair is trusted if both of its rows are.
func TestRowsOfOneMomentAreHeldOverRestarts(t *testing.T) {
	c := joining("b", time.Minute)
	p := mustPlan(t, c)
	m := newMemStore(p)
	var s *Stream
	again := func() {
		s = newStream(c, p, m)
		open(t, s)
	}
	again()
	for i := range 3 {
		gets(t, s, m, "a", 1001, reading(1, i))
		if err := s.checkpoint(t.Context()); err != nil {
			t.Fatal(err)
		}
		again()
	}
	b := blockOf("b", edged.Instant{Wall: 1002 * sec}, msg{"temp/1", `{"id":1,"value":7}`, 1002 * sec})
	b.Trusted = false
	m.addBlock(b)
	gets(t, s, m, "b", 1003, msg{topic: "temp/1", payload: `{"id":1,"value":8}`})
	m.addTick("a", edged.Instant{Wall: 2000 * sec})
	m.addTick("b", edged.Instant{Wall: 2000 * sec})
	step(t, s)
	if got, want := cellsOf(t, m, "value", "of"), []string{"0 7", "1 7", "2 7", "0 8", "1 8", "2 8"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if out := outcome(t, m); strings.Contains(out[5], "{2 0 ") || !strings.Contains(out[0], "{2 0 ") {
		t.Errorf("untrusted is not %s, or is %s", out[0], out[5])
	}
}

// A row that may leave asks for the tick with which it does; rows that cannot ask for none.
func TestTheCommitterWritesTheTickThatAJoinWaitsFor(t *testing.T) {
	for outer, want := range map[bool][2]int64{false: {1001*sec + 1, 0}, true: {1001*sec + 1, 1006*sec + 1}} {
		c := joining("b", 5*time.Second)
		c.Outer = outer
		p := mustPlan(t, c)
		m := newMemStore(p)
		s := newStream(c, p, m)
		open(t, s)
		if _, ok := s.Waits(); ok {
			t.Error("it waits without a row")
		}
		gets(t, s, m, "a", 1001, reading(1, 1))
		for _, at := range want {
			w, ok := s.Waits()
			if ok != (at > 0) || ok && (w.Until != edged.Instant{Wall: at} || !slices.Equal(w.Receivers, []string{"a", "b"})) {
				t.Fatalf("outer %t: %+v %t, want %d", outer, w, ok, at)
			}
			m.addTick("a", edged.Instant{Wall: at})
			m.addTick("b", edged.Instant{Wall: at})
			step(t, s)
		}
		if rows := cellsOf(t, m, "value"); outer != (len(rows) == 1) {
			t.Errorf("outer %t: %q", outer, rows)
		}
		if _, ok := s.Waits(); ok {
			t.Errorf("outer %t: it waits for nothing", outer)
		}
	}
}

// What a join of two streams holds is bounded, and forgotten.
func TestWhatAJoinHoldsIsBounded(t *testing.T) {
	c := joining("b", time.Second)
	c.Select, c.MaxGroups = conf.Pairs{{Key: "value", Value: "value"}}, 2
	p := mustPlan(t, c)
	m := newMemStore(p)
	s := newStream(c, p, m)
	open(t, s)
	var msgs []msg
	for range maxHeldOfKey + 5 {
		msgs = append(msgs, reading(1, 1))
	}
	gets(t, s, m, "a", 1001, msgs...)
	gets(t, s, m, "a", 1002, reading(2, 1), reading(3, 1))
	if want := (Counts{Applied: maxHeldOfKey + 1, Dropped: 6}); s.rec.Counts != want {
		t.Errorf("%+v, want %+v", s.rec.Counts, want)
	}
	m.addTick("b", edged.Instant{Wall: 2000 * sec})
	m.addTick("a", edged.Instant{Wall: 2000 * sec})
	step(t, s)
	if !s.held.empty() || s.held.bytes != 0 {
		t.Errorf("%d rows, %d bytes", len(s.held.order), s.held.bytes)
	}
	gets(t, s, m, "a", 2001, reading(3, 1))
	if s.rec.Applied != maxHeldOfKey+2 || !s.Status().Balanced {
		t.Errorf("%+v", s.rec.Counts)
	}
}

// As many pairs can leave at once as a step can bear.
func TestPairsAreBounded(t *testing.T) {
	c := joining("b", time.Minute)
	c.Select = conf.Pairs{{Key: "value", Value: "value"}}
	p := mustPlan(t, c)
	m := newMemStore(p)
	s := newStream(c, p, m)
	open(t, s)
	const n = 400
	var ours, theirs []msg
	for range n {
		ours = append(ours, reading(1, 1))
		theirs = append(theirs, msg{topic: "temp/1", payload: `{"id":1}`})
	}
	gets(t, s, m, "a", 1001, ours...)
	gets(t, s, m, "b", 1001, theirs...)
	if want := (Counts{Applied: n + maxPairs/n, Dropped: n - maxPairs/n}); s.rec.Counts != want || s.held.pairs != maxPairs {
		t.Errorf("%+v, %d pairs; want %+v", s.rec.Counts, s.held.pairs, want)
	}
	for _, r := range []string{"a", "b"} {
		m.addTick(r, edged.Instant{Wall: 2000 * sec})
	}
	if step(t, s); s.rec.Produced != maxPairs || s.held.pairs != 0 || !s.held.empty() {
		t.Errorf("%d rows; %d pairs are left", s.rec.Produced, s.held.pairs)
	}
}

// Rows behind a join that no group is left for are counted, though their message was applied.
func TestRowsThatAreLostBehindAJoinAreCounted(t *testing.T) {
	c := joining("b", time.Second)
	c.Select, c.MaxGroups, c.Window = nil, 1, "tumbling 10s"
	c.GroupBy, c.Aggregate = conf.Pairs{{Key: "value", Value: "value"}}, conf.Pairs{{Key: "n", Value: "count()"}}
	p := mustPlan(t, c)
	m := newMemStore(p)
	s := newStream(c, p, m)
	open(t, s)
	gets(t, s, m, "a", 1001, reading(1, 1), reading(1, 2))
	gets(t, s, m, "b", 1001, msg{topic: "temp/1", payload: `{"id":1}`})
	m.addTick("b", edged.Instant{Wall: 2000 * sec})
	m.addTick("a", edged.Instant{Wall: 2000 * sec})
	step(t, s)
	if st := s.Status(); st.Join.Dropped != 1 || st.Applied != 3 || st.Produced != 1 || !st.Balanced {
		t.Errorf("%+v %+v", st, st.Join)
	}
}

func drawHeld(t *rapid.T, cells [2]int) *heldRow {
	text := rapid.SampledFrom([]string{"", "x", "site/7", strings.Repeat("k", 300)})
	h := &heldRow{
		side: rapid.IntRange(0, 1).Draw(t, "side"), epoch: rapid.Uint32().Draw(t, "epoch"), at: rapid.Int64().Draw(t, "at"), n: rapid.Uint64().Draw(t, "n"), key: text.Draw(t, "key"),
		met: rapid.Bool().Draw(t, "met"), trusted: rapid.Bool().Draw(t, "trusted"), retain: rapid.Bool().Draw(t, "retain"), qos: byte(rapid.IntRange(0, 2).Draw(t, "qos")),
		arrived: rapid.Uint32().Draw(t, "arrived"), topic: text.Draw(t, "topic"), saved: true,
		shown: rapid.SampledFrom([]edged.Value{{}, edged.JSONValue(`{"a":1}`)}).Draw(t, "shown"),
	}
	for range cells[h.side] {
		h.cells = append(h.cells, rapid.SampledFrom([]edged.Value{{}, edged.NullValue(), edged.NumberValue(math.Pi), edged.TextValue("ü"), edged.BoolValue(true), edged.TimeValue(5), edged.BytesValue("\x00")}).Draw(t, "cell"))
	}
	h.size = h.memory()
	return h
}

// A held row comes back from a checkpoint as it was, and the keys of two rows are in the order of their times.
func TestHeldRowsComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cells := [2]int{rapid.IntRange(0, 3).Draw(t, "ours"), rapid.IntRange(0, 3).Draw(t, "theirs")}
		h, o := drawHeld(t, cells), drawHeld(t, cells)
		got, err := readHeld(h.id()[1:], h.append(nil), cells)
		if err != nil || fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", h) {
			t.Fatalf("%v\ngot  %+v\nwant %+v", err, got, h)
		}
		if c := h.when().Compare(o.when()); c != 0 && strings.Compare(h.id(), o.id()) != c {
			t.Fatalf("%v and %v are out of order", h.when(), o.when())
		}
	})
}

func FuzzHeldRows(f *testing.F) {
	h := &heldRow{side: theirs, at: 5, n: 7, key: "x", topic: "site/7", cells: []edged.Value{edged.NumberValue(1)}}
	f.Add(h.id()[1:], h.append(nil))
	f.Add("", []byte{})
	f.Fuzz(func(t *testing.T, id string, value []byte) {
		h, err := readHeld(id, value, [2]int{2, 1})
		if err != nil {
			return
		}
		again, err := readHeld(h.id()[1:], h.append(nil), [2]int{2, 1})
		if err != nil || fmt.Sprintf("%+v", again) != fmt.Sprintf("%+v", h) {
			t.Fatalf("%v\ngot  %+v\nwant %+v", err, again, h)
		}
	})
}
