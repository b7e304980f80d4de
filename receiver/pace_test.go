package receiver

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// passing counts who has passed, and when.
type passing struct {
	mu  sync.Mutex
	who []int
	at  []time.Duration
}

func (p *passing) n() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.who)
}

// crowd has n messages wait, one behind the other.
func crowd(c *pace, n int) *passing {
	p, began := &passing{}, time.Now()
	for i := range n {
		go func() {
			if c.wait(context.Background()) == nil {
				p.mu.Lock()
				defer p.mu.Unlock()
				p.who, p.at = append(p.who, i), append(p.at, time.Since(began))
			}
		}()
		synctest.Wait()
	}
	return p
}

// Who waits by a low rate goes when a high one comes, in the order of coming.
func TestAHigherRateIsForThoseWhoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newPace(0.1) // one in ten seconds, and one at once
		p := crowd(c, 100)
		time.Sleep(15 * time.Second)
		synctest.Wait()
		if p.n() != 2 {
			t.Fatalf("%d have passed", p.n())
		}
		c.set(1000)
		time.Sleep(99 * time.Millisecond)
		synctest.Wait()
		if p.n() != 100 || !slices.IsSorted(p.who) {
			t.Fatalf("%d of 100 have passed: %v", p.n(), p.who)
		}
	})
}

// A lower rate is for those who wait, too, and one who gives up leaves nothing behind.
func TestALowerRateIsForThoseWhoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newPace(math.Inf(1))
		if p := crowd(c, 1000); p.n() != 1000 {
			t.Fatalf("%d of 1000 have passed without a bound", p.n())
		}
		c.set(10)
		p := crowd(c, 30)
		time.Sleep(1050 * time.Millisecond)
		synctest.Wait()
		if n := p.n(); n < 10 || n > 12 { // two of them at once
			t.Fatalf("%d have passed after a second at 10/s", n)
		}
		c.set(1)
		before := p.n()
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if n := p.n() - before; n < 4 || n > 6 {
			t.Fatalf("%d have passed in five seconds at 1/s", n)
		}
		c.set(math.Inf(1))
		synctest.Wait()
		if p.n() != 30 {
			t.Fatalf("%d of 30 have passed: there is no bound", p.n())
		}
	})
}

func TestWhoGivesUpLeavesNothingBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newPace(10)
		crowd(c, 2) // what may pass at once
		for range 20 {
			ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
			if err := c.wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Fatal(err)
			}
			cancel()
		}
		began := time.Now()
		if err := c.wait(context.Background()); err != nil || time.Since(began) > 100*time.Millisecond {
			t.Fatalf("%v after %v", err, time.Since(began))
		}
	})
}

// However the rate changes, no more pass than it allows, hardly fewer, and in the order of coming.
func TestNoMorePassThanTheRateAllows(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		rates := rapid.SliceOfN(rapid.Float64Range(0.5, 30), 1, 10).Draw(rt, "rates")
		lasts := rapid.SliceOfN(rapid.Int64Range(1e6, 2e9), len(rates), len(rates)).Draw(rt, "lasts")
		wrong := ""
		synctest.Test(t, func(*testing.T) {
			c := newPace(10)
			p := crowd(c, 200)
			allowed := 2.0
			for i, r := range rates {
				c.set(r)
				time.Sleep(time.Duration(lasts[i]))
				synctest.Wait()
				allowed += r * float64(lasts[i]) / 1e9
				if n := float64(p.n()); n > allowed+1e-6 || n < min(200, allowed-1-1e-6) {
					wrong = fmt.Sprintf("%v have passed, allowed are %v", n, allowed)
				}
			}
			if !slices.IsSorted(p.who) {
				wrong = fmt.Sprint("not in order: ", p.who)
			}
			c.set(math.Inf(1))
			synctest.Wait()
			if p.n() != 200 {
				wrong = fmt.Sprintf("%d have passed at last", p.n())
			}
		})
		if wrong != "" {
			rt.Fatal(wrong)
		}
	})
}
