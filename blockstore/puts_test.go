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
	began := time.Now()
	var puts []edged.Put
	for _, i := range rand.Perm(60_000) {
		puts = append(puts, edged.Put{Space: "state/x", Key: fmt.Sprintf("g%08d", i), Value: []byte("first")})
	}
	puts = append(puts, edged.Put{Space: "state/x", Key: puts[0].Key, Value: []byte("second")})
	first := puts[1].Key
	puts = append(puts, edged.Put{Space: "state/x", Key: first, Value: nil})
	s.Submit(&edged.Update{Puts: puts}, false, func(err error) {
		if err != nil {
			t.Error(err)
		}
	})
	step(t, s)
	if took := time.Since(began); took > 20*time.Second { // with the race detector, on a slow machine
		t.Errorf("it took %v", took)
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
