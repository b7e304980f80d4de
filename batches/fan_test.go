package batches

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"edged"
	"edged/internal/conf"

	"pgregory.net/rapid"
)

func wordsConfig() *StreamConfig {
	c := rawConfig()
	c.Decode = "text"
	c.FlatMap = conf.Pairs{{Key: "word", Value: `split(value, " ")`}}
	return c
}

// texts reads everything that a stateless stream gives, at most n rows at a time, and where each stands.
func texts(t fataler, s *Stream, n int) (out []string, at []edged.Pos) {
	f := s.Feed()
	from, err := f.Oldest()
	if err != nil {
		t.Fatalf("%v", err)
	}
	for more := true; more; {
		r, err := f.Read(from, edged.Place{}, edged.Limits{Rows: n, Bytes: 1 << 20})
		if err != nil {
			t.Fatalf("%v", err)
		}
		if r.Rows != nil {
			for i := range r.Rows.Len() {
				out = append(out, r.Rows.Row(i)[2].Str())
			}
			at = append(at, r.Rows.At...)
		}
		again, err := s.Feed().Read(r.From, r.To, edged.Limits{Rows: 1000, Bytes: 1 << 20})
		if err != nil || again.Rows != nil && !slices.Equal(again.Rows.At, r.Rows.At) {
			t.Fatalf("read again: %v, %v: want %v", again.Rows, err, r.Rows)
		}
		more, from = r.More, r.To
	}
	return out, at
}

// However a delivery cuts its turns, also in the middle of a message, it reads each row once and in order.
func TestEveryRowOfAMessageIsReadOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := wordsConfig()
		if rapid.Bool().Draw(t, "filter") {
			c.Where = `word != "b"`
		}
		p := mustPlan(t, c)
		m := newMemStore(p)
		s := newStream(c, p, m)
		open(t, s)
		var want []string
		for range rapid.IntRange(1, 4).Draw(t, "blocks") {
			var msgs []msg
			for range rapid.IntRange(0, 4).Draw(t, "messages") {
				words := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c"}), 1, 6).Draw(t, "words")
				text := ""
				for i, w := range words {
					if i > 0 {
						text += " "
					}
					text += w
					if c.Where == "" || w != "b" {
						want = append(want, w)
					}
				}
				msgs = append(msgs, msg{"site/1/gpio/1", text, 1000 * sec})
			}
			m.addBlock(blockOf("a", edged.Instant{Wall: 1001 * sec}, msgs...))
		}
		step(t, s)
		got, at := texts(t, s, rapid.IntRange(1, 5).Draw(t, "rows"))
		if !slices.Equal(got, want) {
			t.Fatalf("got %q, want %q", got, want)
		}
		if !slices.IsSortedFunc(at, edged.Pos.Compare) || len(slices.CompactFunc(at, func(a, b edged.Pos) bool { return a == b })) != len(want) {
			t.Fatalf("positions %v", at)
		}
		if s.rec.Produced != uint64(len(want)) {
			t.Fatalf("%d produced, want %d", s.rec.Produced, len(want))
		}
	})
}

// The elements of a list have fields and a time of their own; a list with one bad element makes the message a dead letter, and nothing of it counts.
func TestAListOfReadingsIsTakenApart(t *testing.T) {
	c := pinsConfig()
	c.FlatMap = conf.Pairs{{Key: "r", Value: "readings"}}
	c.Time, c.Where, c.AllowedLateness = "r.ts", "r.v > 0", 0
	c.GroupBy, c.Aggregate = conf.Pairs{{Key: "unit", Value: "r.unit"}}, conf.Pairs{{Key: "n", Value: "count()"}, {Key: "sum", Value: "sum(r.v)"}, {Key: "of", Value: "last(name)"}}
	p := mustPlan(t, c)
	m := newMemStore(p)
	s := newStream(c, p, m)
	open(t, s)
	reading := func(ts int, v int) string { return fmt.Sprintf(`{"ts":%d,"v":%d,"unit":"C"}`, ts*1000, v) }
	m.addBlock(blockOf("a", edged.Instant{Wall: 1030 * sec},
		msg{"site/1/gpio/1", `{"name":"x","readings":[` + reading(1000, 1) + "," + reading(1001, 2) + "," + reading(1012, 3) + `]}`, 1029 * sec},
		msg{"site/1/gpio/1", `{"name":"bad","readings":[` + reading(1002, 100) + `,{"v":1}]}`, 1029 * sec},
		msg{"site/1/gpio/1", `{"name":"none","readings":[]}`, 1029 * sec},
		msg{"site/1/gpio/1", `{"name":"y","readings":[` + reading(1003, -1) + "," + reading(1025, 4) + `]}`, 1029 * sec}))
	step(t, s)
	got := outcome(t, m)
	if len(got) != 3 { // two windows, and the dead letter
		t.Fatalf("%q", got)
	}
	if c := s.rec.Counts; c.Applied != 2 || c.Filtered != 1 || c.Dead != 1 || c.Produced != 2 {
		t.Errorf("%+v", c)
	}
}

// Rows of one reading keep their texts while the messages behind them are decoded: an escaped text stands in memory of the decoder, which is used again.
func TestElementsKeepTheirTexts(t *testing.T) {
	c := wordsConfig()
	c.Decode = "json"
	p := mustPlan(t, c)
	m := newMemStore(p)
	s := newStream(c, p, m)
	open(t, s)
	m.addBlock(blockOf("a", edged.Instant{Wall: 1001 * sec},
		msg{"site/1/gpio/1", `{"value":"on\u0065 tw\u006f"}`, 1000 * sec}, msg{"site/1/gpio/1", `{"value":"xx\u0078 yyyyy\u0079"}`, 1000 * sec}))
	step(t, s)
	if got, _ := texts(t, s, 100); !slices.Equal(got, []string{"one", "two", "xxx", "yyyyyy"}) {
		t.Errorf("got %q", got)
	}
}

// A row that becomes a dead letter is not the one before the next: what it has changed in the memory is taken back.
func TestADeadLetterIsNotRemembered(t *testing.T) {
	c := pinsConfig()
	c.Changed, c.Where = "value", ""
	c.Aggregate = conf.Pairs{{Key: "n", Value: "count()"}, {Key: "last", Value: "last(note)"}}
	p := mustPlan(t, c)
	m := newMemStore(p)
	s := newStream(c, p, m)
	open(t, s)
	row := func(value int, note string) msg {
		return msg{"site/1/gpio/1", fmt.Sprintf(`{"value":%d,"kind":"k","note":%q}`, value, note), 1000 * sec}
	}
	m.addBlock(blockOf("a", edged.Instant{Wall: 1001 * sec}, row(1, "a"), row(2, strings.Repeat("x", maxText+1)), row(2, "b")))
	step(t, s)
	if c := s.rec.Counts; c.Applied != 2 || c.Dead != 1 || c.Filtered != 0 {
		t.Errorf("%+v: the second 2 is a change from 1", c)
	}
}
