package batches

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"edged"
)

// What waits is taken before the batch interval is over when it is much, and the interval is kept when it is little, or shows in the results.
func TestMuchIsTakenAtOnce(t *testing.T) {
	for _, k := range []struct {
		name, window string
		blocks       int // of 64 kB
		before       bool
	}{{"little", "tumbling 10s", 2, false}, {"much", "tumbling 10s", 40, true}, {"batch", "batch", 40, false}} {
		t.Run(k.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := pinsConfig()
				c.From, c.Window = []string{"a"}, k.window
				p := mustPlan(t, c)
				m := newMemStore(p)
				s := newStream(c, p, m)
				ctx, cancel := context.WithCancel(context.Background())
				ran := make(chan error, 1)
				go func() { ran <- s.Run(ctx) }()
				synctest.Wait()
				payload := `{"value":1,"kind":"` + strings.Repeat("x", 64<<10) + `"}`
				for range k.blocks {
					feedBlock(m, 1001*sec, payload)
				}
				m.addTick("a", edged.Instant{Wall: 1002 * sec})
				time.Sleep(2 * lookEvery)
				synctest.Wait()
				if taken := s.Status().Pending < int64(k.blocks); taken != k.before {
					t.Errorf("%d of %d messages wait before the interval is over", s.Status().Pending, k.blocks)
				}
				time.Sleep(time.Second)
				synctest.Wait()
				if n := s.Status().Pending; n != 0 {
					t.Errorf("%d of %d messages wait when it is over", n, k.blocks)
				}
				cancel()
				if err := <-ran; err != nil {
					t.Fatal(err)
				}
			})
		})
	}
}

// countingStore counts how often somebody waits for the next commit.
type countingStore struct {
	*memStore
	waited atomic.Int32
}

func (c *countingStore) Changed() <-chan struct{} {
	c.waited.Add(1)
	return c.memStore.Changed()
}

// A thousand commits a second do not wake a stream a thousand times.
func TestManyCommitsAreLookedAtTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := pinsConfig()
		c.From = []string{"a"}
		p := mustPlan(t, c)
		m := newMemStore(p)
		s := newStream(c, p, m)
		counted := &countingStore{memStore: m}
		s.o.Store = counted
		ctx, cancel := context.WithCancel(context.Background())
		ran := make(chan error, 1)
		go func() { ran <- s.Run(ctx) }()
		synctest.Wait()
		for range 1000 {
			feedBlock(m, 1001*sec, `{"value":1}`)
			m.addTick("a", edged.Instant{Wall: 1001 * sec})
			time.Sleep(time.Millisecond)
		}
		if most := int32(time.Second/lookEvery) + 10; counted.waited.Load() > most || counted.waited.Load() < most/2 {
			t.Errorf("woken %d times by 1000 commits in a second, at most %d wanted", counted.waited.Load(), most)
		}
		cancel()
		if err := <-ran; err != nil {
			t.Fatal(err)
		}
	})
}
