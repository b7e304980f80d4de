package delivery

import (
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"edged"
	"edged/sinks/spec"

	"github.com/VictoriaMetrics/metrics"
)

// A write says what was taken, how long it took and what still waits; turns grow while the sink is fast, and are short when it is slow.
func TestAWriteIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemStore()
		f, g := newNumbers(m, "s"), newNumbers(m, "t")
		var mu sync.Mutex
		each, turns, down := 10*time.Millisecond, []int{}, false
		sink := &logSink{}
		sink.before = func(turn []edged.Delivery) (int, error) {
			mu.Lock()
			defer mu.Unlock()
			if down {
				return 0, errors.New("down")
			}
			turns = append(turns, len(turn))
			time.Sleep(time.Duration(len(turn)) * each)
			return len(turn), nil
		}
		var reports []Report
		w := New(Options{
			Name: "sink", Sink: sink, Encoding: "enc", Limits: spec.Limits{Rows: 3, Bytes: 1 << 20}, Deliveries: []DeliverySpec{spec1("s", f), spec1("t", g)},
			Store: m, Interval: time.Second, Log: slog.New(slog.DiscardHandler), Metrics: metrics.NewSet(), Report: func(r Report) { reports = append(reports, r) },
		})
		run(t, w, func() {
			nap(time.Second)
			f.grow(401) // 600 rows
			g.grow(9)   // 12 rows
			nap(time.Minute)
			rows, waiting := 0, 612
			for i, r := range reports {
				rows, waiting = rows+r.Rows, waiting-r.Rows
				if r.Waiting != waiting || r.Took != time.Duration(turns[i])*each {
					t.Errorf("report %d: %+v; %d rows wait, and the turn had %d parts", i, r, waiting, turns[i])
				}
			}
			if rows != 612 || turns[0] != 2 || turns[1] != 4 || turns[2] != 8 || turns[5] != 64 {
				t.Errorf("%d rows of 612 are reported, in turns of %v", rows, turns)
			}
			mu.Lock()
			each, turns = 400*time.Millisecond, nil
			mu.Unlock()
			f.grow(501)
			g.grow(21)
			nap(5 * time.Minute)
			f.grow(601)
			g.grow(33)
			nap(5 * time.Minute)
			if turns[0] < 50 || turns[1] != 2 || turns[2] != 2 {
				t.Errorf("a slow sink works on turns of %v", turns)
			}
			mu.Lock()
			down, reports = true, nil
			mu.Unlock()
			f.grow(701)
			nap(time.Minute)
			if len(reports) > 0 {
				t.Errorf("a sink that takes nothing has reported %+v", reports)
			}
		})
	})
}

// Rows that come again slow nobody down: they are not reported, alone or among others.
func TestRowsThatComeAgainAreNotReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemStore()
		f, g := newNumbers(m, "s"), newNumbers(m, "s.replay")
		sink := &logSink{}
		sink.before = func(turn []edged.Delivery) (int, error) { return len(turn), nil }
		again := spec1("s.replay", g)
		again.Seldom = true
		var reports []Report
		w := New(Options{
			Name: "sink", Sink: sink, Encoding: "enc", Limits: spec.Limits{Rows: 3, Bytes: 1 << 20}, Deliveries: []DeliverySpec{spec1("s", f), again},
			Store: m, Interval: time.Second, Log: slog.New(slog.DiscardHandler), Metrics: metrics.NewSet(), Report: func(r Report) { reports = append(reports, r) },
		})
		run(t, w, func() {
			nap(time.Second)
			g.grow(41)
			nap(time.Minute)
			if len(reports) > 0 {
				t.Errorf("rows that come again are reported: %+v", reports)
			}
			f.grow(3)
			g.grow(81)
			nap(time.Minute)
			rows := 0
			for _, r := range reports {
				if rows += r.Rows; r.Waiting != 0 {
					t.Errorf("%+v: nothing else waits", r)
				}
			}
			if rows != 3 {
				t.Errorf("%d rows are reported of 3", rows)
			}
		})
	})
}
