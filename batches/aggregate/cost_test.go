package aggregate

import (
	"maps"
	"slices"
	"testing"

	"edged"
)

// readingsOf are values that come again and again, as those of a sensor do.
func readingsOf() (vs []edged.Value) {
	for i := range 64 {
		vs = append(vs, edged.NumberValue(float64(i*i%97)/4))
	}
	return vs
}

func TestAddAllocatesNothing(t *testing.T) {
	texts := []edged.Value{edged.TextValue("on"), edged.TextValue("off"), edged.BoolValue(true)}
	for name, k := range kinds {
		for of, vs := range map[string][]edged.Value{"numbers": readingsOf(), "states": texts} {
			if name == "last" && of == "states" {
				continue // it copies a text that changed
			}
			a, at := k.New(), 0
			add := func() {
				at++
				a.Add(vs[at%len(vs)], int64(at)*1e9)
			}
			for range 20000 {
				add()
			}
			if n := testing.AllocsPerRun(2000, add); n != 0 {
				t.Errorf("%s allocates %v times a row of %s", name, n, of)
			}
		}
	}
}

func BenchmarkAdd(b *testing.B) {
	vs := readingsOf()
	for _, name := range slices.Sorted(maps.Keys(kinds)) {
		b.Run(name, func(b *testing.B) {
			a := kinds[name].New()
			b.ReportAllocs()
			for i := range b.N {
				a.Add(vs[i&63], int64(i)*1e6)
			}
		})
	}
	b.Run("mode of values that never come again", func(b *testing.B) {
		a := Mode.New()
		b.ReportAllocs()
		for i := range b.N {
			a.Add(edged.NumberValue(float64(i)), int64(i)*1e6)
		}
	})
}
