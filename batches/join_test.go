package batches

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"edged"
	"edged/internal/conf"
	"edged/internal/rowcodec"
	"edged/test/await"

	"pgregory.net/rapid"
)

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
		m, s := roughly(t, c, p, log)
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
	await.Luck(t, func() bool { return checked >= 10 }, func(t *rapid.T) {
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
