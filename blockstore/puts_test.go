package blockstore

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"edged"
)

// Values that come in no order are written in order: 60,000 groups of a window took a minute and more, and everything else waited.
func TestManyPutsInNoOrder(t *testing.T) {
	s := open(t, t.TempDir(), nil)
	commit := func(puts []edged.Put) time.Duration {
		t.Helper()
		began := time.Now()
		s.Submit(&edged.Update{Puts: puts}, false, func(err error) {
			if err != nil {
				t.Error(err)
			}
		})
		step(t, s)
		return time.Since(began)
	}
	const groups = 60_000
	var ordered, puts []edged.Put
	for i, other := range rand.Perm(groups) {
		ordered = append(ordered, edged.Put{Space: "state/w", Key: fmt.Sprintf("g%08d", i), Value: []byte("first")})
		puts = append(puts, edged.Put{Space: "state/x", Key: fmt.Sprintf("g%08d", other), Value: []byte("first")})
	}
	puts = append(puts, edged.Put{Space: "state/x", Key: puts[0].Key, Value: []byte("second")})
	first := puts[1].Key
	puts = append(puts, edged.Put{Space: "state/x", Key: first, Value: nil})
	base := commit(ordered)
	if took := commit(puts); took > 5*base+5*time.Second {
		t.Errorf("it took %v, and %v in order", took, base)
	}
	n := 0
	err := s.Values("state/x", func(key string, value []byte, err error) error {
		n++
		if want := "first"; err != nil || key == first || string(value) != want && key != puts[0].Key || key == puts[0].Key && string(value) != "second" {
			t.Errorf("%s is %q, %v", key, value, err)
		}
		return nil
	})
	if err != nil || n != 59_999 {
		t.Errorf("%d values, %v", n, err)
	}
	closeStore(t, s)
}
