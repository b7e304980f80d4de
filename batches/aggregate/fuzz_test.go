package aggregate

import (
	"bytes"
	"testing"
	"time"

	"edged"
)

// A saved state that is damaged is refused or is a state like any other: nothing that is done with it panics, and it is saved as it was read.
func FuzzState(f *testing.F) {
	names := []string{"count", "sum", "avg", "min", "max", "first", "last", "stddev", "rate", "distinct", "p50", "p99"}
	for i, name := range names {
		a := kinds[name].New()
		for n := range 5 {
			a.Add(edged.NumberValue(float64(n*n)-3), int64(n)*1e9)
		}
		f.Add(uint8(i), a.AppendBinary(nil))
	}
	f.Fuzz(func(t *testing.T, kind uint8, b []byte) {
		k := kinds[names[int(kind)%len(names)]]
		a, other := k.New(), k.New()
		if a.UnmarshalBinary(bytes.Clone(b)) != nil {
			return
		}
		saved := a.AppendBinary(nil)
		again := k.New()
		if err := again.UnmarshalBinary(bytes.Clone(saved)); err != nil {
			t.Fatalf("%s: it does not read its own state: %v", names[int(kind)%len(names)], err)
		}
		win := edged.Window{Start: 0, End: int64(time.Minute)}
		other.Add(edged.NumberValue(7), 3e9)
		other.Merge(a)
		other.Result(win, a)
		a.Add(edged.NumberValue(-1), 4e9)
		a.Add(edged.TextValue("x"), 5e9)
		a.Merge(again)
		a.Result(win, nil)
		a.AppendBinary(nil)
	})
}
