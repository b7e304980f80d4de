package broker

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"edged/test/rawmqtt"

	"edged"
)

// Whoever waits goes on with the others, no later than it wanted to.
func TestABeatIsOneForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b beat
		for range 2 { // and there is another after it
			began := time.Now()
			var wg sync.WaitGroup
			for i := range 5 {
				wg.Go(func() {
					time.Sleep(time.Duration(i) * time.Millisecond)
					b.wait(20 * time.Millisecond)
					if d := time.Since(began); d != 20*time.Millisecond {
						t.Errorf("number %d goes on after %v", i, d)
					}
				})
			}
			wg.Wait()
		}
	})
}

// reading is what one reading brings, and when.
type reading struct {
	after            time.Duration
	publishes, other int
	bytes            int
}

func TestWhoSendsAtAPace(t *testing.T) {
	lone := func(gap time.Duration, n int) (out []reading) {
		for range n {
			out = append(out, reading{gap, 1, 0, 80})
		}
		return out
	}
	many := func(rs ...[]reading) []reading { return slices.Concat(rs...) }
	const ms = time.Millisecond
	for name, c := range map[string]struct {
		readings []reading
		want     bool
	}{
		"one by one":                             {lone(10*ms, 6), true},
		"not for long":                           {lone(10*ms, 3), false},
		"each second":                            {lone(time.Second, 30), false},
		"as fast as it can":                      {lone(ms, 30), false},
		"read together":                          {many(lone(10*ms, 6), []reading{{20 * ms, 2, 0, 160}, {20 * ms, 3, 0, 240}}), true},
		"faster now":                             {many(lone(10*ms, 6), []reading{{20 * ms, 12, 0, 960}}), false},
		"and then nothing":                       {many(lone(10*ms, 6), lone(100*ms, 1)), false},
		"some, and then it waits for us":         {many([]reading{}, slices.Repeat([]reading{{10 * ms, 5, 0, 400}}, 20)), false},
		"with subscriptions":                     {many(lone(10*ms, 6), []reading{{10 * ms, 0, 1, 20}}, lone(10*ms, 1)), false},
		"acknowledgements of what it subscribes": {slices.Repeat([]reading{{10 * ms, 0, 1, 4}}, 20), false},
	} {
		var p tempo
		now := time.Now()
		for _, r := range c.readings {
			now = now.Add(r.after)
			p.read(now, r.bytes)
			for range r.publishes {
				p.packet(true)
			}
			for range r.other {
				p.packet(false)
			}
		}
		p.read(now.Add(c.readings[len(c.readings)-1].after), 80)
		if p.goes != c.want {
			t.Errorf("%s: it is read at the beat: %v", name, p.goes)
		}
	}
}

// company counts the messages that are taken within a millisecond of the one before.
type company struct {
	all receiver

	mu   sync.Mutex
	last time.Time
	n    int
}

func (c *company) Take(ctx context.Context, m *edged.Message, ack edged.Acker, token uint64) error {
	c.mu.Lock()
	now := time.Now()
	if now.Sub(c.last) < time.Millisecond {
		c.n++
	}
	c.last = now
	c.mu.Unlock()
	return c.all.Take(ctx, m, ack, token)
}

func (c *company) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n
}

// A client sends a message every ten milliseconds. While acknowledgements wait for long, what it sends is taken together; nothing is lost, and the order stays.
func TestReadAtABeat(t *testing.T) {
	got := &company{}
	s := start(t, setup{attach: map[string]edged.Handler{"a/#": got}, patience: func() time.Duration { return 200 * time.Millisecond }})
	w, _ := connect(t, s, rawmqtt.Connect{ID: "c"})
	var sent []string
	for got.count() < 20 {
		if len(sent) == 3000 {
			t.Fatalf("of %d messages %d came together with others", len(sent), got.count())
		}
		sent = append(sent, fmt.Sprint(len(sent)))
		w.Publish(rawmqtt.Publish{Topic: "a/b", Payload: sent[len(sent)-1]})
		time.Sleep(10 * time.Millisecond)
	}
	if came := got.all.has(t, len(sent)); !slices.Equal(came, sent) {
		t.Errorf("%d were sent, and %d came, or in another order", len(sent), len(came))
	}
}
