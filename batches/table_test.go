package batches

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"edged"
	"edged/internal/conf"

	"pgregory.net/rapid"
)

// drawTable makes the text of a table of receiver t, which may be none.
func drawTable(t *rapid.T) string {
	if rapid.IntRange(0, 8).Draw(t, "no table") == 0 {
		return "id,name\n1,a,b"
	}
	text := "id,name,kind\n"
	for range rapid.IntRange(0, 4).Draw(t, "rows") {
		id := rapid.SampledFrom([]string{"1", "2", "3", "", " 2", "1.0"}).Draw(t, "id")
		text += fmt.Sprintf("%s,n%d,%s\n", id, rapid.IntRange(0, 99).Draw(t, "name"), rapid.SampledFrom([]string{"x", "y"}).Draw(t, "kind"))
	}
	return text
}

// A table join against a plain one: the rows of the log in order, and a map.
func TestATableAgainstAPlainLookup(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := joining("t", 0)
		c.Select = conf.Pairs{{Key: "value", Value: "value"}, {Key: "name", Value: "d.name"}}
		c.Outer = rapid.Bool().Draw(t, "outer")
		log := drawJoinLog(t)
		table := map[string]string{}
		var want []string
		for _, e := range log {
			for i := 0; e.Block != nil && i < e.Block.Len(); i++ {
				payload := string(e.Block.Payload(i))
				if e.Block.Receiver == "t" {
					if !strings.HasPrefix(payload, "id,name,kind") {
						continue
					}
					table = map[string]string{}
					for _, line := range strings.Split(payload, "\n")[1:] {
						if f := strings.Split(line, ","); len(f) == 3 && f[0] != "" {
							table[strings.TrimSpace(f[0])] = f[1]
						}
					}
					continue
				}
				if e.Block.Receiver == "a" && strings.HasPrefix(e.Block.TopicOf(i), "site/") && payload[0] == '{' {
					name, found := table[e.Block.TopicOf(i)[5:6]]
					if found || c.Outer {
						want = append(want, field(payload, "value")+" "+name)
					}
				}
			}
		}
		got := cellsOf(t, run(t, c, log), "value", "name")
		if !slices.Equal(got, want) {
			t.Fatalf("got  %q\nwant %q", got, want)
		}
	})
}

// A table is in force from its place in the log on, as a whole; one that cannot be read changes nothing, and is a dead letter.
func TestATableIsInForceFromItsPlaceOn(t *testing.T) {
	c := joining("t", 0)
	c.Select = conf.Pairs{{Key: "value", Value: "value"}, {Key: "name", Value: "d.name"}, {Key: "id", Value: "d.id"}}
	p := mustPlan(t, c)
	m := newMemStore(p)
	s := newStream(c, p, m)
	open(t, s)
	gets(t, s, m, "a", 1001, reading(7, 1)) // before there is one
	gets(t, s, m, "t", 1002, msg{topic: "t", payload: "id,name\n7,pump\n07,valve\n,none\n8,old\n8,new\n"})
	gets(t, s, m, "a", 1003, reading(7, 2), reading(8, 3), reading(9, 4))
	gets(t, s, m, "t", 1004, msg{topic: "t", payload: "id,name\n7"})
	gets(t, s, m, "t", 1004, msg{topic: "t", payload: "number,name\n"}) // no id
	gets(t, s, m, "a", 1005, reading(7, 5))
	gets(t, s, m, "t", 1006, msg{topic: "t", payload: "id,name\n9,gauge\n"})
	gets(t, s, m, "a", 1007, reading(7, 6), reading(9, 7))
	if got, want := cellsOf(t, m, "value", "name", "id"), []string{"2 pump 7", "3 new 8", "5 pump 7", "7 gauge 9"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if want := (Counts{Filtered: 3, Dead: 2, Applied: 6, Produced: 4}); s.rec.Counts != want {
		t.Errorf("%+v, want %+v", s.rec.Counts, want)
	}
	if st := s.Status(); !st.Balanced || st.Pending != 0 || st.Join.Rows != 1 || st.Join.Missing {
		t.Errorf("%+v %+v", st, st.Join)
	}
	if n := len(m.results[edged.DeadLetters]); n != 2 {
		t.Errorf("%d dead letters", n)
	}
}

// A stream says that it wants its table when it cannot have it from the log, and only then.
func TestAStreamWithoutItsTableWantsIt(t *testing.T) {
	c := joining("t", 0)
	c.Select = conf.Pairs{{Key: "value", Value: "value"}, {Key: "name", Value: "d.name"}}
	p := mustPlan(t, c)
	m := newMemStore(p)
	s := newStream(c, p, m)
	if s.Wants("t", edged.Pos{}) {
		t.Error("it wants a table before it has looked whether it has one")
	}
	open(t, s)
	step(t, s)
	if !s.Wants("t", edged.Pos{}) || s.Wants("a", edged.Pos{}) {
		t.Error("a new stream has its table")
	}
	gets(t, s, m, "t", 1001, msg{topic: "t", payload: "no table"})
	if s.Wants("t", edged.Pos{}) || !s.Status().Join.Missing {
		t.Error("it wants what it could not read")
	}
	table := "id,name,kind\n7,pump," + strings.Repeat("x", 3*pieceSize) + "\n"
	gets(t, s, m, "t", 1002, msg{topic: "t", payload: table})
	if s.Wants("t", edged.Pos{}) {
		t.Error("it has it, and wants it")
	}
	m.log = append(m.log, edged.Entry{Seq: m.End(), Err: fmt.Errorf("flipped bit")})
	if step(t, s); !s.Wants("t", edged.Pos{Seq: m.End() - 1}) || s.Wants("t", edged.Pos{Seq: m.End()}) {
		t.Error("a later table may have been in an entry that cannot be read")
	}
	gets(t, s, m, "t", 1002, msg{topic: "t", payload: table})
	again := func(c *StreamConfig, what string, wants bool) {
		t.Helper()
		if err := s.checkpoint(t.Context()); err != nil {
			t.Fatal(err)
		}
		m.oldest = m.End() // everything behind it is freed
		s = newStream(c, mustPlan(t, c), m)
		open(t, s)
		step(t, s)
		if s.Wants("t", edged.Pos{}) != wants {
			t.Errorf("%s: wants it: %v", what, !wants)
		}
	}
	again(c, "a restart", false)
	other := joining("t", 0)
	other.Select = conf.Pairs{{Key: "value", Value: "value"}, {Key: "name", Value: "len(d.kind)"}}
	again(other, "another definition, which reads other columns", false)
	gets(t, s, m, "a", 1003, reading(7, 1))
	if got, want := cellsOf(t, m, "value", "name"), []string{fmt.Sprint("1 ", 3*pieceSize)}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	gets(t, s, m, "t", 1004, msg{topic: "t", payload: "id,name,kind\n7,small,x\n"})
	again(other, "a shorter one, of which pieces are left", false)
	gets(t, s, m, "a", 1005, reading(7, 2))
	if got := cellsOf(t, m, "value", "name"); got[len(got)-1] != "2 1" {
		t.Errorf("got %q", got)
	}
	for _, from := range []string{"t", "b"} {
		plain := joining(from, time.Second)
		if from == "t" {
			plain.Join, plain.On, plain.Select = nil, nil, nil
		}
		again(plain, "no table", false)
		again(other, "a join that comes back", true)
		gets(t, s, m, "t", 1006, msg{topic: "t", payload: table})
	}
	if err := s.checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	delete(m.values[spaceState+"pins"], pieceKey(1))
	again(other, "a hole in it", true)
	gets(t, s, m, "t", 1007, msg{topic: "t", payload: table})
	again(other, "it was given again", false)
}

func FuzzTablePieces(f *testing.F) {
	f.Add(appendTable(nil, 5, []byte("id,name\n7,pump\n")), 3)
	f.Fuzz(func(t *testing.T, all []byte, size int) {
		pieces := map[uint32][]byte{}
		if size < 1 {
			size = 1
		}
		for piece := range slices.Chunk(all, size) {
			pieces[uint32(len(pieces))] = piece
		}
		at, text, err := joinPieces(pieces)
		if err != nil {
			return
		}
		at2, text2, err := joinPieces(map[uint32][]byte{0: appendTable(nil, at, text)})
		if err != nil || at2 != at || string(text2) != string(text) {
			t.Fatalf("%v: %d %q, want %d %q", err, at2, text2, at, text)
		}
	})
}

// A table whose decoder finds one row in a payload has one in each of its lines.
func TestATableOfJSONLines(t *testing.T) {
	c := joining("t", 0)
	c.JoinDecode, c.Select = "json", conf.Pairs{{Key: "value", Value: "value"}, {Key: "name", Value: "d.where.room"}}
	p := mustPlan(t, c)
	m := newMemStore(p)
	s := newStream(c, p, m)
	open(t, s)
	gets(t, s, m, "t", 1001, msg{topic: "t", payload: `{"id":7,"where":{"room":"cellar"}}` + "\r\n\n" + `{"id":"8","where":{"room":"attic"}}`})
	gets(t, s, m, "t", 1002, msg{topic: "t", payload: `{"id":7}` + "\n{"})
	gets(t, s, m, "a", 1003, reading(7, 1), reading(8, 2))
	if got, want := cellsOf(t, m, "value", "name"), []string{"1 cellar", "2 attic"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if s.rec.Dead != 1 || !strings.Contains(fmt.Sprint(outcome(t, m)), "line 2") {
		t.Errorf("%+v %v", s.rec.Counts, outcome(t, m))
	}
}

// A row that finds its partner in a table costs no memory, from the block to the accumulators.
func TestARowOfATableJoinCostsNoMemory(t *testing.T) {
	c := joining("t", 0)
	c.On[0].Value, c.On = "id", append(c.On, conf.Pair{Key: "kind", Value: "kind"})
	c.Select, c.Window, c.Where = nil, "tumbling 10s", "value > d.limit"
	c.GroupBy, c.Aggregate = conf.Pairs{{Key: "name", Value: "d.name"}}, conf.Pairs{{Key: "n", Value: "count()"}}
	p := mustPlan(t, c)
	m := newMemStore(p)
	s := newStream(c, p, m)
	open(t, s)
	gets(t, s, m, "t", 1001, msg{topic: "t", payload: "id,kind,name,limit\n7,x,pump,3\n"})
	e := edged.Entry{Seq: 3, Block: blockOf("a", edged.Instant{Wall: 1002 * sec}, msg{"site/7/gpio/1", `{"id":7,"kind":"x","value":5}`, 1002 * sec})}
	s.apply(&e)
	before := s.rec.Applied
	if n := testing.AllocsPerRun(100, func() { s.apply(&e) }); n > 0 || s.rec.Applied != before+101 {
		t.Errorf("%v allocations, %d rows", n, s.rec.Applied-before)
	}
}

// When another definition begins, a table that the former one could not read is wanted, and one that the new one cannot read does not stand in its way.
func TestAChangedDefinitionWantsTheTableThatItCanRead(t *testing.T) {
	for name, x := range map[string]struct {
		on     string
		column string
		rows   int
	}{
		"the one in force cannot be read any more": {"device", "d.room", 0},
		"the one in force can still be read":       {"id", "d.id", 1},
	} {
		t.Run(name, func(t *testing.T) {
			c := joining("t", 0)
			c.Select = conf.Pairs{{Key: "name", Value: "d.name"}}
			p := mustPlan(t, c)
			m := newMemStore(p)
			s := newStream(c, p, m)
			open(t, s)
			gets(t, s, m, "t", 1001, msg{topic: "t", payload: "id,name\n7,pump\n"})
			gets(t, s, m, "t", 1002, msg{topic: "t", payload: "device,name,room\n7,pump,cellar\n"}) // no id: refused
			next := *c
			next.On, next.Select = conf.Pairs{{Key: x.on, Value: "topic[1]"}}, conf.Pairs{{Key: "it", Value: x.column}}
			s = newStream(&next, mustPlan(t, &next), m)
			open(t, s)
			step(t, s)
			if st := s.Status().Join; !s.Wants("t", edged.Pos{}) || st.Rows != x.rows {
				t.Errorf("it does not want the latest table, of which nobody knows whether it can read it: %+v", st)
			}
			gets(t, s, m, "t", 1003, msg{topic: "t", payload: "device,name,room\n7,pump\n8\n\"\n"}) // it comes again, and nobody can read it
			if st := s.Status().Join; s.Wants("t", edged.Pos{}) || st.Refused == "" || st.Rows != x.rows || st.Missing != (x.rows == 0) {
				t.Errorf("what is in force is said wrongly: %+v", st)
			}
		})
	}
}
