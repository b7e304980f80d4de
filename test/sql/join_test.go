package sql

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"edged"
	"edged/batches"
	"edged/internal/conf"
	"edged/internal/rowcodec"
	"edged/test/need"
)

// Two streams are joined within a time as SQL does it: the same pairs, and the same rows without a partner.
func TestAJoinAgainstSQL(t *testing.T) {
	sqlite := need.Tool(t, "sqlite3")
	const within = 300 * time.Millisecond
	messages := generate(7, 10_000)
	var log []edged.Entry
	for from, to := 0, 0; from < len(messages); from = to { // a block a second, of one receiver
		b := &edged.Block{Seq: uint64(len(log)) + 1, Receiver: "a", Cut: edged.Instant{Wall: messages[from].arrival + int64(time.Second)}, Trusted: true}
		for to = from; to < len(messages) && messages[to].arrival <= b.Cut.Wall; to++ {
			put(b, &messages[to])
		}
		log = append(log, edged.Entry{Seq: b.Seq, Block: b})
	}
	log = append(log, tick(uint64(len(log))+1, messages[len(messages)-1].arrival+int64(time.Hour)))
	d := openDatabase(t, sqlite)
	writeCSV(t, filepath.Join(d.dir, "raw.csv"), messages)
	d.run(nil, "import")
	d.run(map[string]int64{"Within": int64(within)}, "joined")
	var want []string
	for _, line := range d.lines("joined.csv")[1:] {
		want = append(want, fmt.Sprint(line))
	}
	c := batches.DefaultStream()
	c.Name, c.From, c.Topics = "s", []string{"a"}, []string{"site/+/in"}
	c.Join, c.On, c.Within, c.Outer = conf.Pairs{{Key: "o", Value: "a"}}, conf.Pairs{{Key: "topic[1]", Value: "topic[1]"}}, conf.Duration(within), true
	c.JoinTopics, c.Select = []string{"site/+/out"}, conf.Pairs{{Key: "mine", Value: "h"}, {Key: "other", Value: "o.h"}}
	got, alone := joined(t, c, log)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Fatalf("%d rows, want %d", len(got), len(want))
	}
	if alone < 100 || len(got)-alone < 1000 {
		t.Errorf("only %d pairs and %d rows without a partner", len(got)-alone, alone)
	}
}

// joined runs a log through a stream with a join, and gives the rows as SQL writes them, and how many have no partner.
func joined(t *testing.T, c *batches.StreamConfig, log []edged.Entry) (rows []string, alone int) {
	plan, problems := batches.Compile(c)
	if len(problems) > 0 {
		t.Fatalf("%s: %v", problems[0].Key, problems[0].Err)
	}
	text := func(v edged.Value) string {
		if f, ok := v.Float(); ok {
			return fmt.Sprintf("%.0f", f)
		}
		alone++
		return "NULL"
	}
	m := &store{log: log, cursors: map[string]edged.Cursor{}, upTo: uint64(len(log)), take: func(r *edged.Result) error {
		x, err := rowcodec.Decode(r.Data, r.Seq, r.Rows)
		for i := 0; err == nil && i < x.Len(); i++ {
			cells := x.Row(i)
			rows = append(rows, fmt.Sprint([]string{fmt.Sprint(cells[0].Nanos()), text(cells[2]), text(cells[3])}))
		}
		return err
	}}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s := batches.New(batches.Options{
		Config: c, Plan: plan, Store: m, Log: slog.New(slog.DiscardHandler), Interval: 10 * time.Millisecond, Checkpoint: time.Hour, Report: func(batches.Report) { cancel() },
	})
	if err := s.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if st := s.Status(); st.Position != m.End() || st.Dead+st.Dropped+st.Late+st.Join.Dropped > 0 {
		t.Fatalf("the stream is not through: %+v", st)
	}
	return rows, alone
}
