package delivery

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"edged"
	"edged/sinks/spec"
)

// A sink that takes 200 rows at most is soon asked for no more than that, in all but a few requests; nothing is lost by it.
func TestASinkThatTakesLessThanConfigured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemStore()
		f := newNumbers(m, "s")
		sink := &logSink{}
		writes, refused := 0, 0
		sink.before = func(turn []edged.Delivery) (int, error) {
			for i, d := range turn {
				if writes++; d.Rows.Len() > 200 {
					refused++
					return i, edged.WithClass(errors.New("413"), edged.TooLarge)
				}
			}
			return len(turn), nil
		}
		w := newWriter(m, sink, spec.Limits{Rows: 100000, Bytes: 1 << 20}, spec1("s", f))
		run(t, w, func() {
			f.grow(10000)
			nap(time.Second)
			writes, refused = 0, 0
			f.grow(50000)
			nap(time.Second)
			if writes < 300 || refused > writes/10 {
				t.Errorf("%d of %d requests were too large", refused, writes)
			}
		})
		if r := m.record(t, "s", "sink"); r.Delivered != f.Produced() || r.Dead+r.Dropped != 0 {
			t.Errorf("%+v of %d produced", r.Counts, f.Produced())
		}
	})
}

func TestSizeRecovers(t *testing.T) {
	s := size{most: 1 << 20, now: 1 << 20}
	for n := s.now; n > 100; n /= 2 {
		s.refused(n)
	}
	if s.now != smallest {
		t.Fatalf("after a row that nobody takes it is %d", s.now)
	}
	n := 0
	for ; s.now < s.most; n++ {
		s.taken()
	}
	if n < 300 || n > 1000 {
		t.Errorf("it is as before after %d deliveries", n)
	}
	s.refused(0) // one of an earlier run: nobody knows how large it was
	if s.now != s.most {
		t.Errorf("an unknown size made it %d", s.now)
	}
}

// What asks for the waits of many gateways at once must not bring them back at once.
func TestJitterOnlyAdds(t *testing.T) {
	seen := map[time.Duration]bool{}
	for range 100 {
		d := jitter(8 * time.Second)
		if d < 8*time.Second || d > 9*time.Second {
			t.Fatal(d)
		}
		seen[d] = true
	}
	if len(seen) < 50 {
		t.Errorf("%d waits of 100 differ", len(seen))
	}
}
