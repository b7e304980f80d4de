package batches

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"edged"
	"edged/internal/conf"
	"edged/internal/rowcodec"

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

// drawJoinLog makes a log of receivers a, b and t: a brings readings of devices and, as b does, what the other side of a join is; t brings tables.
func drawJoinLog(t *rapid.T) []edged.Entry {
	var log []edged.Entry
	at := map[string]edged.Instant{"a": {Wall: 1000 * sec}, "b": {Wall: 1000 * sec}, "t": {Wall: 1000 * sec}}
	n := 0
	for range rapid.IntRange(1, 30).Draw(t, "entries") {
		r := rapid.SampledFrom([]string{"a", "a", "b", "b", "t"}).Draw(t, "receiver")
		cut := at[r]
		if rapid.IntRange(0, 25).Draw(t, "step") == 0 {
			cut = edged.Instant{Epoch: cut.Epoch + 1, Wall: cut.Wall + rapid.Int64Range(-50, 50).Draw(t, "by")*sec}
		}
		var msgs []msg
		for range rapid.IntRange(0, 3).Draw(t, "messages") {
			cut.Wall += rapid.Int64Range(0, 3).Draw(t, "gap") * sec
			n++
			id := rapid.IntRange(1, 3).Draw(t, "id")
			topic, payload := fmt.Sprintf("site/%d/gpio/1", id), fmt.Sprintf(`{"value":%d,"kind":%q,"ts":%d}`, n, rapid.SampledFrom([]string{"x", "y"}).Draw(t, "kind"),
				cut.Wall/1e6+rapid.Int64Range(-9, 5).Draw(t, "skew")*1000)
			switch {
			case r == "t":
				topic, payload = "t", drawTable(t)
			case r == "b" || rapid.IntRange(0, 2).Draw(t, "side") == 0:
				topic = "temp/1"
				payload = fmt.Sprintf(`{"id":%s,%s`, rapid.SampledFrom([]string{fmt.Sprint(id), fmt.Sprintf("%q", fmt.Sprint(id)), "null"}).Draw(t, "key"), payload[1:])
			}
			if rapid.IntRange(0, 15).Draw(t, "odd") == 0 {
				payload = "poison"
			}
			msgs = append(msgs, msg{topic, payload, cut.Wall})
		}
		cut.Wall += rapid.Int64Range(0, 3).Draw(t, "rest") * sec
		at[r] = cut
		if len(msgs) > 0 {
			b := blockOf(r, cut, msgs...)
			b.Trusted = rapid.IntRange(0, 9).Draw(t, "trusted") > 0
			log = append(log, edged.Entry{Block: b})
		}
		log = append(log, edged.Entry{Tick: &edged.Tick{Receivers: []edged.ReceiverTotal{{Receiver: r, Cut: cut}}}})
	}
	return log
}

// joining is a stream that joins: t is a table, b another receiver, a the stream's own.
func joining(with string, within time.Duration) *StreamConfig {
	c := DefaultStream()
	c.Name, c.From, c.Topics, c.Sinks = "pins", []string{"a"}, []string{"site/+/gpio/+"}, []string{"x"}
	c.Join, c.On = conf.Pairs{{Key: "d", Value: with}}, conf.Pairs{{Key: "id", Value: "topic[1]"}}
	c.Select = conf.Pairs{{Key: "value", Value: "value"}, {Key: "of", Value: "d.value"}, {Key: "name", Value: "d.name"}, {Key: "theirs", Value: "d.kind"}}
	if with == "t" {
		return c
	}
	if c.Within = conf.Duration(within); with == "a" {
		c.JoinTopics = []string{"temp/#"}
	}
	return c
}

func drawJoin(t *rapid.T) *StreamConfig {
	c := joining(rapid.SampledFrom([]string{"t", "b", "a"}).Draw(t, "with"), time.Duration(rapid.IntRange(1, 8).Draw(t, "within"))*time.Second)
	if c.Joined() == "t" {
		c.Select = slices.Delete(c.Select, 1, 2)
	}
	c.Outer = rapid.Bool().Draw(t, "outer")
	if rapid.Bool().Draw(t, "event time") {
		c.Time, c.AllowedLateness = "ts", conf.Duration(rapid.SampledFrom([]time.Duration{0, 5 * time.Second, time.Minute}).Draw(t, "lateness"))
		c.Idle = conf.Duration(rapid.SampledFrom([]time.Duration{0, 10 * time.Second}).Draw(t, "idle"))
	}
	if rapid.IntRange(0, 2).Draw(t, "keyless") == 0 {
		c.On[0].Value = `value > 40 ? nil : topic[1]`
	}
	drawMemory(t, c)
	if c.Window = rapid.SampledFrom([]string{"", "tumbling 10s", "sliding 20s every 5s", "session 3s", "count 4", "running"}).Draw(t, "window"); c.Window != "" {
		c.Select = nil
		c.GroupBy = conf.Pairs{{Key: "device", Value: "topic[1]"}, {Key: "theirs", Value: "d.kind"}}
		c.Aggregate = conf.Pairs{{Key: "n", Value: "count()"}, {Key: "last", Value: "last(d.name)"}, {Key: "sum", Value: "sum(value)"}}
		if rapid.Bool().Draw(t, "early") && !strings.HasPrefix(c.Window, "count") {
			c.EmitEvery = conf.Duration(2500 * time.Millisecond)
		}
	} else {
		c.EmitEvery, c.Expire, c.Aggregate, c.Having = 0, 0, nil, ""
	}
	c.MaxGroups = rapid.SampledFrom([]int{1, 100}).Draw(t, "max groups")
	return c
}

func TestJoinsDependOnTheLogAlone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawJoin(t)
		p := mustPlan(t, c)
		log := drawJoinLog(t)
		whole := newMemStore(p)
		s := newStream(c, p, whole)
		open(t, s)
		for _, e := range log {
			whole.add(e)
		}
		step(t, s)
		want, counts := outcome(t, whole), s.rec.Counts
		if c.Time == "arrival" && counts.Late > 0 {
			t.Fatalf("%d rows late on arrival time", counts.Late)
		}
		if st := s.Status(); !st.Balanced || st.Pending != 0 {
			t.Fatalf("the ledger does not balance: %+v", st)
		}
		m := newMemStore(p)
		s = newStream(c, p, m)
		open(t, s)
		for _, e := range log {
			m.add(e)
			switch rapid.IntRange(0, 5).Draw(t, "then") {
			case 0:
				step(t, s)
			case 1:
				step(t, s)
				m.ride(s)
			case 2:
				step(t, s)
				if err := s.checkpoint(context.Background()); err != nil {
					t.Fatal(err)
				}
			case 3:
				s = newStream(c, p, m)
				open(t, s)
			case 4:
				step(t, s)
				s = newStream(c, p, m)
				open(t, s)
			}
		}
		step(t, s)
		if got := outcome(t, m); !slices.Equal(got, want) {
			t.Fatalf("got  %v\nwant %v", strings.Join(got, "\n     "), strings.Join(want, "\n     "))
		}
		if s.rec.Counts != counts {
			t.Fatalf("counts %+v, want %+v", s.rec.Counts, counts)
		}
	})
}

// cellsOf are the named cells of all rows of the stream, written out.
func cellsOf(t fataler, m *memStore, names ...string) (out []string) {
	for _, r := range m.results["pins"] {
		rows, err := rowcodec.Decode(r.Data, r.Seq, r.Rows)
		if err != nil {
			t.Fatalf("%v", err)
		}
		for i := range rows.Len() {
			var cells []string
			for _, name := range names {
				v := rows.Row(i)[slices.Index(rows.Names, name)]
				switch f, number := v.Float(); {
				case number:
					cells = append(cells, fmt.Sprint(f))
				case v.Kind() == edged.Time:
					cells = append(cells, fmt.Sprint(v.Nanos()))
				default:
					cells = append(cells, v.Str())
				}
			}
			out = append(out, strings.Join(cells, " "))
		}
	}
	return out
}

// field is what a payload of drawJoinLog says.
func field(payload, name string) string {
	_, rest, ok := strings.Cut(payload, `"`+name+`":`)
	if !ok {
		return ""
	}
	return strings.Trim(rest[:strings.IndexAny(rest, ",}")], `"`)
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

// modelRow is a row of either side.
type modelRow struct {
	epoch uint32
	at    int64
	key   string
	value string
}

// The join of two streams against nested loops over all rows.
func TestTwoStreamsAgainstANestedLoop(t *testing.T) {
	checked := 0
	rapid.Check(t, func(t *rapid.T) {
		c := joining(rapid.SampledFrom([]string{"a", "b"}).Draw(t, "with"), time.Duration(rapid.IntRange(1, 8).Draw(t, "within"))*time.Second)
		c.Outer = rapid.Bool().Draw(t, "outer")
		if rapid.Bool().Draw(t, "event time") {
			c.Time, c.AllowedLateness, c.Idle = "ts", conf.Duration(time.Minute), conf.Duration(time.Hour)
		}
		log := drawJoinLog(t)
		var sides [2][]modelRow
		for _, e := range log {
			for i := 0; e.Block != nil && i < e.Block.Len(); i++ {
				b, payload := e.Block, string(e.Block.Payload(i))
				if payload[0] != '{' {
					continue
				}
				r := modelRow{b.Cut.Epoch, b.Arrival[i], field(payload, "id"), field(payload, "value")}
				if c.Time != "arrival" {
					var ms int64
					fmt.Sscan(field(payload, "ts"), &ms)
					r.epoch, r.at = 0, ms*1e6
				}
				switch {
				case b.Receiver == "a" && strings.HasPrefix(b.TopicOf(i), "site/"):
					r.key = b.TopicOf(i)[5:6]
					sides[0] = append(sides[0], r)
				case b.Receiver == c.Joined() && b.TopicOf(i) == "temp/1" && r.key != "null":
					sides[1] = append(sides[1], r)
				}
			}
		}
		var want []string
		for _, x := range sides[0] {
			met := false
			for _, y := range sides[1] {
				if d := x.at - y.at; x.key == y.key && x.epoch == y.epoch && max(d, -d) <= int64(c.Within) {
					want = append(want, fmt.Sprintf("%d %s %s", max(x.at, y.at), x.value, y.value))
					met = true
				}
			}
			if !met && c.Outer {
				want = append(want, fmt.Sprintf("%d %s", x.at, x.value))
			}
		}
		p := mustPlan(t, c)
		m := newMemStore(p)
		s := newStream(c, p, m)
		open(t, s)
		for _, e := range log {
			m.add(e)
		}
		endOfTime(m)
		step(t, s)
		if s.rec.Late > 0 {
			return // it is not in the model
		}
		if !s.held.empty() || len(s.held.byKey) > 0 || s.held.bytes != 0 {
			t.Fatalf("%d rows are held at the end of time, %d keys, %d bytes", len(s.held.order), len(s.held.byKey), s.held.bytes)
		}
		if len(want) > 0 {
			checked++
		}
		var got []string
		last := edged.Instant{}
		for _, row := range cellsOf(t, m, "time", "value", "of", "epoch") {
			f := strings.Split(row, " ") // they leave in the order in which it is known of them
			var due edged.Instant
			fmt.Sscan(f[0], &due.Wall)
			if fmt.Sscan(f[3], &due.Epoch); c.Time != "arrival" {
				due.Epoch = 0
			}
			if f[2] == "" {
				due.Wall += int64(c.Within)
			}
			if due.Before(last) {
				t.Fatalf("%s leaves behind a row of %v", row, last)
			}
			last = due
			got = append(got, strings.TrimSpace(strings.Join(f[:3], " ")))
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Fatalf("got  %q\nwant %q", got, want)
		}
	})
	if checked < 10 {
		t.Errorf("only %d logs had a pair", checked)
	}
}

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

// gets has a stream take messages that all arrive at a second.
func gets(t fataler, s *Stream, m *memStore, receiver string, at int64, msgs ...msg) {
	for i := range msgs {
		msgs[i].at = at * sec
	}
	m.addBlock(blockOf(receiver, edged.Instant{Wall: at * sec}, msgs...))
	m.addTick(receiver, edged.Instant{Wall: at * sec})
	step(t, s)
}

func reading(id int, value int) msg {
	return msg{topic: fmt.Sprintf("site/%d/gpio/1", id), payload: fmt.Sprintf(`{"value":%d}`, value)}
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

// What is written the same is the same, whatever it is; lists of values that differ have keys that differ.
func TestKeysAreComparedAsTheyAreWritten(t *testing.T) {
	key := func(vs ...edged.Value) string {
		var b []byte
		for _, v := range vs {
			var ok bool
			if b, ok = appendWritten(b, v); !ok {
				return "missing"
			}
		}
		return string(b)
	}
	num, text := edged.NumberValue, edged.TextValue
	for _, same := range [][2]edged.Value{
		{num(7), text("7")}, {num(7.5), text(" 7.5")}, {num(1e6), text("1000000")}, {num(-0.25), text("-0.25")}, {edged.BoolValue(true), text("true")}, {num(1e21), text("1e+21")},
		{edged.TimeValue(0), text("1970-01-01T00:00:00Z")}, {text("ä"), edged.BytesValue("ä")},
	} {
		if key(same[0]) != key(same[1]) {
			t.Errorf("%+v is not %+v", same[0], same[1])
		}
	}
	if key(text("07")) == key(num(7)) || key(text("a"), text("bc")) == key(text("ab"), text("c")) || key(text("7"), edged.NullValue()) != "missing" || key(edged.Value{}) != "missing" {
		t.Error("different keys are the same")
	}
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

func TestMistakesInJoins(t *testing.T) {
	for _, x := range []struct{ keys, want string }{
		{`join = { d = "t" }`, `f:5: stream s, join: it needs on, which says what must be equal: on = { id = "topic[1]" }`},
		{`on = { id = "topic[1]" }`, `f:5: on is for a stream with join, such as join = { d = "devices" }; this one has none`},
		{`within = "5s"`, `f:5: within is for a stream with join, such as join = { d = "devices" }; this one has none`},
		{`join = { d = "t", e = "t" }`, `f:5: stream s, join.e: a stream has one join; chain a second stream for another`},
		{`join = { qos = "t" }
on = { id = "id" }`, `f:5: stream s, join.qos: "qos" is a name of the gateway's own; choose another`},
		{`join = { topic = "t" }
on = { id = "id" }`, `f:5: stream s, join.topic: "topic" is a name of the gateway's own; choose another`},
		{`join = { d = "t" }
on = { id = "id" }
select = { d = "d.x" }`, `f:7: stream s, select.d: "d" is there twice`},
		{`join = { d = "t" }
on = { id = "id" }
where = "d"`, `f:7: stream s, where: d is the joined row: name one of its fields, such as d.name`},
		{`join = { d = "t" }
on = { id = "id" }
where = "d.a.b > 1"`, `f:7: stream s, where: the joined side: there is no column "a.b": payloads of this kind have no columns within columns`},
		{`join = { d = "t" }
on = { id = "id" }
columns = { id = "int", d = "any" }`, `f:5: stream s, join.d: it would hide the column d; choose another name`},
		{`join = { d = "t" }
on = { id = "id >" }`, `f:6: stream s, on.id: unexpected token EOF (at character 4)`},
		{`join = { d = "t" }
on = { "topic[1]" = "id" }`, `f:6: stream s, on.topic[1]: a table's rows have no topic: name one of its columns`},
		{`join = { d = "t" }
on = { id = "id" }
join_decode = "cvs"`, `f:7: stream s, join_decode: unknown decoder "cvs"; did you mean "csv"?`},
		{`join = { d = "t" }
on = { id = "id" }
join_topics = ["x"]`, `f:7: stream s, join_topics: it is for the join of two streams, which has within`},
		{`join = { d = "a" }
on = { id = "id" }`, `f:5: stream s, join: a is in from, too: a table is no stream of readings; take it out there`},
		{`join = { d = "a" }
on = { id = "id" }
within = "5s"`, `f:5: stream s, join: a is in from, too: join_topics must say which of its messages are the other side`},
		{`join = { d = "a" }
on = { id = "id" }
within = "5s"
join_topics = ["site/+/temp"]`, `f:8: stream s, join_topics: a message can match site/+/temp and site/# of topics: it must be known which side it is`},
		{`join = { d = "b" }
on = { id = "id" }
within = "5s"
join_time = "ts"`, `f:8: stream s, join_time: it is for a stream with a time field; this one has time = "arrival"`},
		{`join = { d = "b" }
on = { id = "id" }
within = "-5s"`, `f:7: stream s, within: it must be more than 0s, and at most 365d`},
		{`join = { d = "t" }
on = { id = "id" }
join_csv = { delimiter = "||" }`, `f:7: stream s, join_csv.delimiter: want one ASCII character that is no quote and no line break, such as ";" or "\t", have "||"`},
	} {
		doc := conf.Parse("f", []byte("[stream.s]\nfrom = [\"a\"]\ntopics = [\"site/#\"]\nsinks = [\"x\"]\n"+x.keys))
		if _, p := LoadStream(doc.Root().Sub("stream").Sub("s")); p != nil {
			t.Errorf("%s compiled", x.keys)
		}
		var got []string
		for _, p := range doc.Problems() {
			got = append(got, p.String())
		}
		if len(got) != 1 || got[0] != x.want {
			t.Errorf("%s:\ngot  %q\nwant %q", x.keys, got, x.want)
		}
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
