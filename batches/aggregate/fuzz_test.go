package aggregate

import (
	"bytes"
	"runtime"
	"slices"
	"testing"
	"time"

	"edged"

	"pgregory.net/rapid"
)

// fuzzed are the kinds in an order that stays, for the stored cases: new ones come last.
var fuzzed = []string{
	"count", "sum", "avg", "min", "max", "first", "last", "stddev", "rate", "distinct", "p50", "p99",
	"twa", "variance", "median", "quantile", "increase", "delta", "integral", "mode", "top_k", "histogram", "collect", "edges", "pulses", "duty", "time_in_state",
}

// A saved state that is damaged is refused or is a state like any other: nothing that is done with it panics, and it is saved as it was read.
func FuzzState(f *testing.F) {
	for i, name := range fuzzed {
		f.Add(uint8(i), sample(kinds[name]).AppendBinary(nil))
	}
	f.Fuzz(func(t *testing.T, kind uint8, b []byte) {
		name := fuzzed[int(kind)%len(fuzzed)]
		use(t, kinds[name], b)
	})
}

// sample is a state with something in it.
func sample(k Kind) edged.Accumulator {
	a := k.New()
	for n := range 5 {
		a.Add(edged.NumberValue(float64(n*n)-3), int64(n)*1e9)
	}
	for _, s := range []string{"on", "off", "on"} {
		a.Add(edged.TextValue(s), 7e9)
		a.Add(edged.BoolValue(s == "on"), 8e9)
	}
	return a
}

// use reads a state and, if it is one, does with it what is done with states.
func use(t fataler, k Kind, b []byte) {
	a, other := k.New(), k.New()
	if a.UnmarshalBinary(bytes.Clone(b)) != nil {
		return
	}
	again := reloaded(t, k, a)
	win := edged.Window{Start: 0, End: int64(time.Minute)}
	other.Add(edged.NumberValue(7), 3e9)
	other.Merge(a)
	other.Result(win, a)
	a.Add(edged.NumberValue(-1), 4e9)
	a.Add(edged.TextValue("x"), 5e9)
	a.Merge(again)
	a.Result(win, nil)
	a.AppendBinary(nil)
}

// Whatever the damage, no panic, and no more memory than a state can have.
func TestDamagedStates(t *testing.T) {
	for _, name := range fuzzed {
		t.Run(name, func(t *testing.T) {
			k := kinds[name]
			whole := sample(k).AppendBinary(nil)
			rapid.Check(t, func(t *rapid.T) {
				b := bytes.Clone(whole)
				switch rapid.IntRange(0, 3).Draw(t, "damage") {
				case 0:
					b = rapid.SliceOfN(rapid.Byte(), 0, 100).Draw(t, "other bytes")
				case 1:
					b = b[:rapid.IntRange(0, len(b)).Draw(t, "end")]
				case 2:
					at := rapid.IntRange(0, len(b)).Draw(t, "at")
					b = slices.Insert(b, at, rapid.SliceOfN(rapid.Byte(), 1, 10).Draw(t, "more")...)
				default:
					for range rapid.IntRange(1, 4).Draw(t, "bytes") {
						b[rapid.IntRange(0, len(b)-1).Draw(t, "at")] = rapid.Byte().Draw(t, "byte")
					}
				}
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				k.New().UnmarshalBinary(bytes.Clone(b))
				runtime.ReadMemStats(&after)
				if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
					t.Fatalf("%d bytes of damaged state took %d KiB", len(b), n>>10)
				}
				use(t, k, b)
			})
		})
	}
}

// What is cut short or goes on is refused by all: each knows its own length.
func TestIncompleteStates(t *testing.T) {
	for _, name := range fuzzed {
		whole := sample(kinds[name]).AppendBinary(nil)
		for end := range whole {
			if kinds[name].New().UnmarshalBinary(whole[:end]) == nil {
				t.Errorf("%s: %d of %d bytes are read as a state", name, end, len(whole))
			}
		}
		if kinds[name].New().UnmarshalBinary(append(whole, 0)) == nil {
			t.Errorf("%s: a state and another byte are read as a state", name)
		}
	}
}
