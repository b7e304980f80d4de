package batches

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"edged"
	"edged/internal/rowcodec"

	"pgregory.net/rapid"
)

// replayed are the rows of the side log as texts, with their sign taken off, and the sinks that they are for.
func replayed(t fataler, m *memStore, sinks ...string) (out []string) {
	for _, r := range m.results["pins.replay"] {
		rows, err := rowcodec.Decode(r.Data, r.Seq, r.Rows)
		if err != nil || rows.Stream != "pins" || !rowcodec.IsFor(r.Data, sinks[0]) || rowcodec.IsFor(r.Data, "another") {
			t.Fatalf("%v %+v", err, rows)
		}
		n := len(rows.Names) - 1
		for i := range rows.Len() {
			if row := rows.Row(i); rows.Names[n] != "replay" || row[n] != edged.BoolValue(true) {
				t.Fatalf("a row without a sign: %v %v", rows.Names, row)
			} else {
				out = append(out, fmt.Sprint(rows.Names[:n], row[:n]))
			}
		}
	}
	return out
}

func replayOptions(c *StreamConfig, p *Plan, m *memStore) ReplayOptions {
	return ReplayOptions{
		Config: c, Plan: p, Store: m, End: m.End(), Sinks: []string{"x"}, Entry: 500, From: time.Unix(-10000, 0),
		Wait: func(ctx context.Context) error { return ctx.Err() },
	}
}

// A replay of everything gives the rows that the stream gave, and one of a part the rows of that part; of the stream it changes nothing.
func TestAReplayGivesWhatTheStreamGave(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := pinsConfig()
		c.Late = "y"
		if stateless := rapid.Bool().Draw(t, "stateless"); stateless {
			c.Window, c.Aggregate, c.GroupBy, c.Late = "", nil, nil, ""
		}
		p := mustPlan(t, c)
		m := newMemStore(p)
		s := newStream(c, p, m)
		open(t, s)
		high := edged.Instant{}
		blocks := drawBlocks(t)
		for _, b := range blocks {
			if high = later(high, b.Cut); c.Window != "" {
				b.Cut.Wall = b.Arrival[0] - 10*sec // nothing older comes of that receiver
			}
			m.addBlock(b)
		}
		for _, r := range []string{"a", "b"} {
			m.addTick(r, edged.Instant{Epoch: high.Epoch, Wall: high.Wall + 3600*sec})
		}
		step(t, s)
		m.ride(s)
		var gave gathered
		readAll(t, s, &gave)
		results, cursors := maps.Clone(m.results), maps.Clone(m.cursors)

		o := replayOptions(c, p, m)
		if c.Window == "" {
			o.From = time.Unix(1000, rapid.Int64Range(0, 100*sec).Draw(t, "from"))
			o.To = o.From.Add(time.Duration(rapid.Int64Range(1, 100*sec).Draw(t, "length")))
			gave = slices.DeleteFunc(gave, func(row string) bool { // its first cell is its time: {4 NANOSECONDS }
				var wall uint64
				_, err := fmt.Sscanf(row[strings.Index(row, "[{")+1:], "{4 %d }", &wall)
				if err != nil {
					t.Fatalf("%s: %v", row, err)
				}
				at := int64(wall)
				return at < o.From.UnixNano() || at >= o.To.UnixNano()
			})
		}
		did, err := Replay(context.Background(), o)
		if err != nil {
			t.Fatal(err)
		}
		got := replayed(t, m, "x")
		slices.Sort(got) // a stream with windows of two receivers gives those of the slower one later than a trial does
		slices.Sort(gave)
		if !slices.Equal(got, gave) || did.Given != uint64(len(got)) || did.Rows != did.Given || did.Read != did.passed() {
			t.Fatalf("%+v\ngot\n%s\nwant\n%s", did, strings.Join(got, "\n"), strings.Join(gave, "\n"))
		}
		if f := SideFeed(m, "pins.replay", "x"); f.Produced() != did.Given || SideFeed(m, "pins.replay", "y").Produced() != 0 {
			t.Fatalf("%d rows are counted, %d were given", f.Produced(), did.Given)
		}
		delete(m.results, "pins.replay")
		delete(m.cursors, "side/pins.replay")
		if !reflect.DeepEqual(m.results, results) || !reflect.DeepEqual(m.cursors, cursors) {
			t.Fatal("it has changed something else")
		}
		o.Dry = true
		if dry, err := Replay(context.Background(), o); err != nil || !reflect.DeepEqual(dry, did) || len(m.results["pins.replay"]) > 0 {
			t.Fatalf("a dry one: %v, %+v, want %+v", err, dry, did)
		}
	})
}

// A replay that is interrupted leaves whole entries, and one that is repeated gives all of the rows behind them.
func TestAReplayThatIsInterrupted(t *testing.T) {
	c := rawConfig()
	p := mustPlan(t, c)
	m := newMemStore(p)
	for i := int64(1); i <= 100; i++ {
		feedBlock(m, (1000+i)*sec, fmt.Sprintf(`{"value":%d}`, i))
	}
	o := replayOptions(c, p, m)
	all, err := Replay(context.Background(), o)
	if err != nil || all.Given != 100 {
		t.Fatal(all, err)
	}
	want := replayed(t, m, "x")
	ctx, cancel := context.WithCancel(context.Background())
	times := 0
	o.Wait = func(ctx context.Context) error {
		if times++; times == 4 {
			cancel()
		}
		return ctx.Err()
	}
	some, err := Replay(ctx, o)
	if !errors.Is(err, context.Canceled) || some.Given == 0 || some.Given >= 100 {
		t.Fatal(some, err)
	}
	if got := replayed(t, m, "x"); !slices.Equal(got, append(slices.Clone(want), want[:some.Given]...)) {
		t.Errorf("got %v", got)
	}
	o.Wait = func(context.Context) error { return nil }
	if _, err := Replay(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	if got := replayed(t, m, "x"); !slices.Equal(got[100+some.Given:], want) {
		t.Errorf("repeated, it gave %v", got)
	}
	if n := SideFeed(m, "pins.replay", "x").Produced(); n != 200+some.Given {
		t.Errorf("%d rows are counted", n)
	}

	o.Wait = func(context.Context) error { m.oldest = 150; return nil }
	if gone, err := Replay(context.Background(), o); !errors.Is(err, ErrFreed) || gone.Given == 0 || gone.Given >= 100 {
		t.Errorf("blocks were freed meanwhile: %v %v", gone, err)
	}
}

// Windows of which the range has only a part say so, and those of which it has all do not; what is not stored any more cuts as the range does.
func TestAReplayCutsWindows(t *testing.T) {
	c := pinsConfig()
	c.From = []string{"a"}
	p := mustPlan(t, c)
	m := newMemStore(p)
	for i := int64(0); i < 60; i++ {
		feedBlock(m, (1000+i)*sec, `{"value":1,"kind":"x"}`)
	}
	for name, is := range map[string]struct {
		from, to, oldest int64
		want             string
	}{
		"all":            {0, 5000, 1, "1000:10 1010:10 1020:10 1030:10 1040:10 1050:10 partial"}, // the last one is still open: the tick says 1059
		"at its ends":    {1010, 1030, 1, "1010:10 1020:10"},
		"within":         {1015, 1033, 1, "1010:5 partial 1020:10 1030:3 partial"},
		"freed":          {0, 1030, 31, "1010:5 partial 1020:10"},
		"freed, and not": {1020, 1030, 31, "1020:10"},
	} {
		o := replayOptions(c, p, m)
		m.results, m.oldest = map[string][]edged.Result{}, uint64(is.oldest)
		o.From, o.To = time.Unix(is.from, 0), time.Unix(is.to, 0)
		if _, err := Replay(context.Background(), o); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range m.results["pins.replay"] {
			rows, _ := rowcodec.Decode(r.Data, r.Seq, r.Rows)
			for i := range rows.Len() {
				row := rows.Row(i)
				n, _ := row[slices.Index(rows.Names, "n")].Float()
				text := fmt.Sprintf("%d:%v", row[0].Nanos()/sec, n)
				if row[slices.Index(rows.Names, "partial")].Bool() {
					text += " partial"
				}
				got = append(got, text)
			}
		}
		if all := strings.Join(got, " "); all != is.want {
			t.Errorf("%s: got %s, want %s", name, all, is.want)
		}
	}
}
