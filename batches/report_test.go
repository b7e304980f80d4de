package batches

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"testing"
	"testing/synctest"
	"time"

	"edged"
)

// slowStore takes its time for a commit.
type slowStore struct {
	*memStore
	commit time.Duration
}

func (s *slowStore) Commit(ctx context.Context, u *edged.Update, soon bool) error {
	time.Sleep(s.commit)
	return s.memStore.Commit(ctx, u, soon)
}

// A step says what it took of each receiver, whatever the topic, what it gave, how long it worked for it, and how late it began.
func TestAStepIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := pinsConfig()
		c.Where = ""
		p := mustPlan(t, c)
		m := &slowStore{memStore: newMemStore(p)}
		var got []Report
		s := New(Options{Config: c, Plan: p, Store: m, Log: slog.New(slog.DiscardHandler), Interval: time.Second, Checkpoint: time.Hour, Report: func(r Report) {
			r.Messages = maps.Clone(r.Messages)
			got = append(got, r)
		}})
		open(t, s)
		want := func(what string, r *Report) {
			t.Helper()
			if r == nil && len(got) > 0 {
				t.Fatalf("%s: %+v", what, got)
			}
			if r != nil && (len(got) != 1 || fmt.Sprint(got[0]) != fmt.Sprint(*r)) {
				t.Fatalf("%s: %+v, want %+v", what, got, *r)
			}
			got = nil
		}
		add := func(receiver string, wall int64, topics ...string) {
			var msgs []msg
			for _, topic := range topics {
				msgs = append(msgs, msg{topic, `{"value":1,"kind":"x"}`, wall})
			}
			m.addBlock(blockOf(receiver, edged.Instant{Wall: wall}, msgs...))
		}
		step(t, s)
		want("nothing came", nil)
		time.Sleep(time.Second)
		add("a", 1000*sec, "site/1/gpio/1", "site/2/gpio/1", "elsewhere")
		add("a", 1001*sec, "site/1/gpio/1")
		add("b", 1001*sec, "site/1/gpio/1")
		add("c", 1001*sec, "site/1/gpio/1", "site/2/gpio/1")
		step(t, s)
		want("two receivers of three", &Report{Messages: map[string]int{"a": 4, "b": 1}})

		time.Sleep(1500 * time.Millisecond)
		m.addTick("a", edged.Instant{Wall: 1020 * sec})
		m.addTick("b", edged.Instant{Wall: 1020 * sec})
		m.commit = 3 * time.Second
		step(t, s)
		want("a window closes, half a second late", &Report{Messages: map[string]int{}, Rows: 2, Took: 3 * time.Second, Delay: 500 * time.Millisecond})

		add("b", 1021*sec, "site/1/gpio/1") // could have been taken a second after the last step began
		step(t, s)
		want("the step before took three intervals", &Report{Messages: map[string]int{"b": 1}, Delay: 2 * time.Second})

		time.Sleep(time.Second)
		add("a", 1022*sec, "site/1/gpio/1")
		step(t, s)
		want("in time again", &Report{Messages: map[string]int{"a": 1}})
	})
}
