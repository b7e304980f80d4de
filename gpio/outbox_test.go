package gpio

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/VictoriaMetrics/metrics"
)

const fast = "[gpio]\ndriver = \"sim\"\n[gpio.pin.level]\ninterval = \"100ms\"\n"

// gaps checks that the numbers of ms ascend, and returns how many are missing before the last.
func gaps(t *testing.T, ms []message) (missing uint64) {
	t.Helper()
	var last uint64
	for _, m := range ms {
		if m.Seq <= last {
			t.Fatalf("seq %d after %d", m.Seq, last)
		}
		missing += m.Seq - last - 1
		last = m.Seq
	}
	return missing
}

func TestABrokerThatIsSlowForAWhileLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := start(t, fast, newFakeLine().open)
		release := h.broker.block()
		time.Sleep(50 * time.Second) // 500 readings
		release()
		time.Sleep(time.Second)
		h.stop()
		s := h.Status()[0]
		balanced(t, s, 0)
		if s.Dropped != 0 || gaps(t, h.broker.messages()) != 0 || s.Readings != 511 {
			t.Errorf("%+v", s)
		}
		if l := h.journal.lines("dropped"); len(l) > 0 {
			t.Errorf("%q", l)
		}
	})
}

// TestABlockedBroker: the pin is read on, what waits is bounded in number and age, and one outage is two lines of log.
func TestABlockedBroker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := start(t, fast, newFakeLine().open)
		time.Sleep(1050 * time.Millisecond) // between two readings, here and below
		release := h.broker.block()
		time.Sleep(time.Hour)
		s := h.Status()[0]
		if s.Seq < 36_000 || s.Dropped < 34_000 || s.PublishError == "" {
			t.Errorf("the pin is not read on: %+v", s)
		}
		balanced(t, s, maxWaiting+1) // one is with the broker
		release()
		time.Sleep(time.Minute)
		s = h.Status()[0]
		balanced(t, s, 0)
		if missing := gaps(t, h.broker.messages()); missing != s.Dropped || s.PublishError != "" {
			t.Errorf("%d missing in seq; %+v", missing, s)
		}
		// Of what waited the older than a minute went; the rest and everything after it came through.
		ms := h.broker.messages()
		if m := ms[len(ms)-1]; m.Seq != s.Seq {
			t.Errorf("last seq %d of %d", m.Seq, s.Seq)
		}
		h.stop()
		if l := h.journal.lines("level="); len(l) != 2 {
			t.Errorf("want the beginning and the end of the outage: %q", l)
		}
		if l := h.journal.lines(fmt.Sprintf("dropped=%d ", s.Dropped)); len(l) != 1 {
			t.Errorf("the end does not say how many: %q", h.journal.lines(""))
		}
	})
}

func TestReadingsOlderThanAMinuteAreStale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := start(t, "[gpio]\ndriver = \"sim\"\n[gpio.pin.level]\ninterval = \"10s\"\n", newFakeLine().open)
		synctest.Wait()
		release := h.broker.block()
		time.Sleep(125 * time.Second) // readings at 10 s (with the broker), 20 s, … 120 s
		release()
		synctest.Wait()
		ms := h.broker.messages()
		if len(ms) != 2+6 || ms[2].TS-ms[0].TS != 70_000 || gaps(t, ms) != 5 {
			t.Errorf("%d messages: %+v", len(ms), ms)
		}
		if s := h.Status()[0]; s.Dropped != 5 || s.PublishError != errStale.Error() {
			t.Errorf("%+v", s)
		}
	})
}

// TestARefusingBroker: refusals that come and go are one outage.
func TestARefusingBroker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := start(t, fast, newFakeLine().open)
		time.Sleep(50 * time.Millisecond) // between two readings
		for range 20 {
			h.broker.refuse(errors.New("no route to host"))
			time.Sleep(time.Second)
			h.broker.refuse(nil)
			time.Sleep(time.Second)
		}
		time.Sleep(calm)
		s := h.Status()[0]
		balanced(t, s, 0)
		if s.Dropped != 200 || gaps(t, h.broker.messages()) != 200 {
			t.Errorf("%+v", s)
		}
		if l := h.journal.lines("no route to host"); len(l) != 2 {
			t.Errorf("%q", l)
		}
	})
}

func TestAPanicOfTheBrokerCostsOneReading(t *testing.T) {
	calls := 0
	tell := &tally{log: slog.New(slog.NewTextHandler(io.Discard, nil)), readings: &metrics.Counter{}, lost: &metrics.Counter{}}
	o := newOutbox(func(context.Context, *reading) error {
		if calls++; calls == 2 {
			panic("a bug")
		}
		return nil
	}, tell)
	for i := range uint64(3) {
		o.put(reading{seq: i + 1, at: time.Now()})
	}
	o.close()
	o.run(t.Context())
	if tell.ok != 2 || tell.drops != 1 {
		t.Errorf("%d taken, %d dropped", tell.ok, tell.drops)
	}
}

// TestStopping: what waits may leave within the time for it; what cannot is counted, and Run returns.
func TestStopping(t *testing.T) {
	for _, c := range []struct {
		name      string
		releasing bool
		dropped   []uint64
	}{{"the broker takes the rest", true, []uint64{0}}, {"the broker is stuck", false, []uint64{10, 11}}} { // the first may have left before
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := start(t, fast, newFakeLine().open)
				release := h.broker.block()
				time.Sleep(1050 * time.Millisecond) // 11 readings
				if c.releasing {
					time.AfterFunc(drain/2, release)
				}
				began := time.Now()
				h.stop()
				if took := time.Since(began); took > drain {
					t.Errorf("took %v", took)
				}
				s := h.Status()[0]
				balanced(t, s, 0)
				if !slices.Contains(c.dropped, s.Dropped) || s.State != "ended" {
					t.Errorf("%+v", s)
				}
			})
		})
	}
}

func TestAReadingDoesNotAllocate(t *testing.T) {
	c := parse(t, fast)
	var b struct{ bytes int }
	publish := func(_ context.Context, _ string, payload []byte, _ byte, _ bool) error {
		b.bytes += len(payload)
		return nil
	}
	p := newRoom(c, newFakeLine().open, publish, slog.New(slog.DiscardHandler), metrics.NewSet()).pins[0]
	now, ctx := time.Now(), t.Context()
	n := testing.AllocsPerRun(1000, func() {
		p.due(21.5, rising, now)
		p.out.take()
		if err := p.out.sendNow(ctx); err != nil {
			t.Fatal(err)
		}
		p.tally.delivered()
	})
	if n > 0 || b.bytes == 0 {
		t.Errorf("%v allocations a reading", n)
	}
}
