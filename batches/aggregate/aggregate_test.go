package aggregate

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"edged"

	"pgregory.net/rapid"
)

var kinds = map[string]Kind{
	"count": Count, "sum": Sum, "avg": Avg, "min": Min, "max": Max, "first": First, "last": Last, "stddev": Stddev,
	"rate": Rate, "distinct": Distinct, "p50": Quantile(50), "p99": Quantile(99),
}

type row struct {
	v  edged.Value
	at int64
}

func rows(t *rapid.T) []row {
	var out []row
	at := int64(1e18)
	for range rapid.IntRange(0, 40).Draw(t, "rows") {
		at += rapid.Int64Range(0, 5e9).Draw(t, "gap")
		v := edged.NumberValue(float64(rapid.IntRange(-1000, 1000).Draw(t, "x")) / 8)
		switch rapid.IntRange(0, 9).Draw(t, "other") {
		case 0:
			v = edged.NullValue()
		case 1:
			v = edged.TextValue("text")
		case 2:
			v = edged.Value{}
		}
		out = append(out, row{v, at})
	}
	return out
}

func feed(k Kind, rs []row) edged.Accumulator {
	a := k.New()
	for _, r := range rs {
		a.Add(r.v, r.at)
	}
	return a
}

func same(a, b edged.Value) bool {
	x, ok := a.Float()
	y, ok2 := b.Float()
	if ok && ok2 {
		return math.Abs(x-y) <= 1e-9*max(1, math.Abs(x), math.Abs(y))
	}
	return a == b
}

// Panes merged in log order equal the whole; merging changes neither the later part nor, where it is declared so, depends
// on the order; saving and loading change nothing.
func TestEveryAggregate(t *testing.T) {
	for name, k := range kinds {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				rs := rows(t)
				whole := feed(k, rs).Result(edged.Window{}, nil)
				var panes []edged.Accumulator
				for rest := rs; len(rest) > 0; {
					n := rapid.IntRange(1, len(rest)).Draw(t, "pane")
					panes = append(panes, feed(k, rest[:n]))
					rest = rest[n:]
				}
				if k.Commutative && rapid.Bool().Draw(t, "reversed") {
					slices.Reverse(panes)
				}
				merged := k.New()
				for _, p := range panes {
					before := p.Result(edged.Window{}, nil)
					saved := k.New()
					if err := saved.UnmarshalBinary(p.AppendBinary([]byte(nil))); err != nil {
						t.Fatal(err)
					}
					if got := saved.Result(edged.Window{}, nil); got != before {
						t.Fatalf("saved %v, loaded %v", before, got)
					}
					merged.Merge(saved)
					if p.Result(edged.Window{}, nil) != before {
						t.Fatal("merging changed what was merged")
					}
				}
				if got := merged.Result(edged.Window{}, nil); !same(got, whole) {
					t.Fatalf("panes give %v, the whole %v, rows %v", got, whole, rs)
				}
				// Adding to a loaded state is adding to the state.
				if len(rs) > 0 {
					half := k.New()
					if err := half.UnmarshalBinary(feed(k, rs[:len(rs)/2]).AppendBinary(nil)); err != nil {
						t.Fatal(err)
					}
					for _, r := range rs[len(rs)/2:] {
						half.Add(r.v, r.at)
					}
					if got := half.Result(edged.Window{}, nil); !same(got, whole) {
						t.Fatalf("after a load %v, want %v", got, whole)
					}
				}
			})
		})
	}
}

func TestResultsAgainstPlainComputation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rs := rows(t)
		var xs []float64
		for _, r := range rs {
			if x, ok := r.v.Float(); ok {
				xs = append(xs, x)
			}
		}
		get := func(name string) edged.Value { return feed(kinds[name], rs).Result(edged.Window{}, nil) }
		if get("count") != edged.NumberValue(float64(len(rs))) {
			t.Fatal("count")
		}
		if len(xs) == 0 {
			for _, name := range []string{"sum", "avg", "min", "max", "stddev", "p50", "rate"} {
				if v := get(name); v != edged.NullValue() {
					t.Fatalf("%s of nothing is %v", name, v)
				}
			}
			return
		}
		total, n := 0.0, float64(len(xs))
		for _, x := range xs {
			total += x
		}
		sq := 0.0
		for _, x := range xs {
			sq += (x - total/n) * (x - total/n)
		}
		want := map[string]float64{"sum": total, "avg": total / n, "min": slices.Min(xs), "max": slices.Max(xs)}
		if n > 1 {
			want["stddev"] = math.Sqrt(sq / (n - 1))
		}
		for name, w := range want {
			if !same(get(name), edged.NumberValue(w)) {
				t.Fatalf("%s is %v, want %v of %v", name, get(name), w, xs)
			}
		}
		slices.Sort(xs)
		median, _ := get("p50").Float()
		near := func(exact float64) bool { return math.Abs(median-exact) <= 0.0101*math.Abs(exact)+1e-12 }
		if lo, hi := xs[int(math.Floor(0.5*(n-1)))], xs[int(math.Ceil(0.5*(n-1)))]; !near(lo) && !near(hi) {
			t.Fatalf("p50 is %v, want %v or %v within 1 %%, of %v", median, lo, hi, xs)
		}
	})
}

func TestRateUnderstandsResetsAndLeavesNoGap(t *testing.T) {
	at := func(s float64) int64 { return int64(s * 1e9) }
	num := edged.NumberValue
	prev := feed(Rate, []row{{num(90), at(1)}, {num(100), at(9)}})
	a := feed(Rate, []row{{num(110), at(11)}, {num(5), at(15)}, {num(20), at(19)}})
	for _, c := range []struct {
		prev edged.Accumulator
		want edged.Value
	}{
		{prev, num((10 + 5 + 15) / 10.0)}, // 100 → 110 → reset → 5 → 20 in 9 s … 19 s
		{nil, num((5 + 15) / 8.0)},
	} {
		if got := a.Result(edged.Window{}, c.prev); got != c.want {
			t.Errorf("%v, want %v", got, c.want)
		}
	}
	one := feed(Rate, []row{{num(7), at(12)}})
	if got := one.Result(edged.Window{}, nil); got != edged.NullValue() {
		t.Errorf("the rate of one reading is %v", got)
	}
	if got := one.Result(edged.Window{}, prev); got != num(7.0/3) {
		t.Errorf("one reading after others: %v", got)
	}
	if got := Rate.New().Result(edged.Window{}, prev); got != edged.NullValue() {
		t.Errorf("no reading after others: %v", got)
	}
}

func TestManyDistinct(t *testing.T) {
	a := Distinct.New()
	for i := range 50000 {
		a.Add(edged.TextValue(fmt.Sprint(i%20000)), 0)
	}
	n, _ := a.Result(edged.Window{}, nil).Float()
	if math.Abs(n-20000) > 400 {
		t.Errorf("%v distinct of 20000", n)
	}
}

func TestQuantileOfManyMagnitudes(t *testing.T) {
	a := Quantile(99).New()
	for i := range 100000 {
		a.Add(edged.NumberValue(math.Pow(10, float64(i%120)/10-6)), 0)
	}
	x, _ := a.Result(edged.Window{}, nil).Float()
	if want := math.Pow(10, 118.0/10-6); math.Abs(x-want)/want > 0.011 {
		t.Errorf("p99 = %v, want %v", x, want)
	}
	if size := len(a.AppendBinary(nil)); size > 40<<10 {
		t.Errorf("a sketch saves %d bytes", size)
	}
}
