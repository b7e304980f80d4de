package aggregate

import (
	"testing"

	"edged"
)

func TestAReadingOutOfOrderIsNoReset(t *testing.T) {
	a := Rate.New()
	for _, r := range []struct {
		x  float64
		at int64
	}{{1000000, 0}, {1000002, 2e9}, {1000001, 1e9}, {1000003, 3e9}} {
		a.Add(edged.NumberValue(r.x), r.at)
	}
	if f, _ := a.Result(edged.Window{}, nil).Float(); f != 1 {
		t.Errorf("rate %v a second, want 1", f)
	}
}
