package aggregate

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"testing"

	"edged"

	"pgregory.net/rapid"
)

// kinds are all kinds, those with constants with such as are usual. TestEveryListedKindIsTested holds the list against it.
var kinds = map[string]Kind{
	"count": Count, "sum": Sum, "avg": Avg, "min": Min, "max": Max, "first": First, "last": Last, "stddev": Stddev,
	"rate": Rate, "distinct": Distinct, "p50": Quantile(50), "p99": Quantile(99),
	"twa": TWA, "variance": Variance, "median": Median, "quantile": with(QuantileOf, num(0.995)), "increase": Increase, "delta": Delta,
	"integral": Integral, "mode": Mode, "top_k": with(TopK, num(5)), "histogram": with(Histogram, num(-50), num(0), num(2.5), num(100)),
	"collect": with(Collect, num(12)), "edges": Edges, "pulses": Pulses, "duty": Duty, "time_in_state": with(TimeInState, edged.TextValue("on")),
}

var num = edged.NumberValue

// with is a kind with constants.
func with(k Kind, constants ...edged.Value) Kind {
	var err error
	if k.New, err = k.With(constants); err != nil {
		panic(err)
	}
	k.With = nil
	return k
}

type row struct {
	v  edged.Value
	at int64
}

const paneSize = int64(10e9)

// pane draws the rows of one pane. Their times are in any order, as those of event time are; more often they go forward.
func pane(t *rapid.T, start int64) []row {
	rs := make([]row, rapid.IntRange(0, 12).Draw(t, "rows"))
	for i := range rs {
		v := num(float64(rapid.IntRange(-1000, 1000).Draw(t, "x")) / 8)
		switch rapid.IntRange(0, 12).Draw(t, "other") {
		case 0:
			v = edged.NullValue()
		case 1:
			v = edged.Value{}
		case 2:
			v = edged.JSONValue(`{"a":[1]}`)
		case 3, 4:
			v = edged.TextValue(rapid.SampledFrom([]string{"on", "off"}).Draw(t, "state"))
		case 5, 6:
			v = edged.BoolValue(rapid.Bool().Draw(t, "b"))
		case 7, 8:
			v = num(float64(rapid.IntRange(0, 1).Draw(t, "pin")))
		}
		rs[i] = row{v, start + rapid.Int64Range(0, paneSize-1).Draw(t, "at")}
	}
	if rapid.IntRange(0, 3).Draw(t, "disorder") > 0 {
		slices.SortStableFunc(rs, func(a, b row) int { return cmp.Compare(a.at, b.at) })
	}
	return rs
}

func feed(k Kind, rs []row) edged.Accumulator {
	a := k.New()
	add(a, rs)
	return a
}

func add(a edged.Accumulator, rs []row) {
	for _, r := range rs {
		a.Add(r.v, r.at)
	}
}

func reloaded(t fataler, k Kind, a edged.Accumulator) edged.Accumulator {
	again := k.New()
	if err := again.UnmarshalBinary(a.AppendBinary(nil)); err != nil {
		t.Fatalf("it does not read its own state: %v", err)
	}
	return again
}

type fataler interface{ Fatalf(string, ...any) }

func same(a, b edged.Value) bool {
	x, ok := a.Float()
	y, ok2 := b.Float()
	if ok && ok2 {
		return math.Abs(x-y) <= 1e-9*max(1, math.Abs(x), math.Abs(y))
	}
	return a == b
}

// Panes merged in log order equal the whole; merging changes neither the later part nor, where it is declared so, depends
// on the order; saving and loading at any point change nothing at all. It all holds with a stretch before the window and without.
func TestEveryAggregate(t *testing.T) {
	for name, k := range kinds {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				win := edged.Window{Start: 1e18, End: 1e18 + paneSize*int64(rapid.IntRange(1, 5).Draw(t, "panes"))}
				var prev edged.Accumulator
				if k.Previous && rapid.Bool().Draw(t, "previous") {
					prev = feed(k, pane(t, win.Start-paneSize))
				}
				var rs []row
				var panes [][]row
				for start := win.Start; start < win.End; start += paneSize {
					p := pane(t, start)
					panes, rs = append(panes, p), append(rs, p...)
				}
				whole := feed(k, rs).Result(win, prev)
				if k.Commutative && rapid.Bool().Draw(t, "reversed") {
					slices.Reverse(panes)
				}
				merged, stored := k.New(), k.New()
				for _, rs := range panes {
					p := feed(k, rs)
					before := p.Result(win, prev)
					merged.Merge(p)
					if p.Result(win, prev) != before {
						t.Fatalf("merging changed what was merged")
					}
					at := rapid.IntRange(0, len(rs)).Draw(t, "saved at")
					half := reloaded(t, k, feed(k, rs[:at]))
					add(half, rs[at:])
					if got := half.Result(win, prev); got != before {
						t.Fatalf("%v, after a load %v", before, got)
					}
					stored.Merge(reloaded(t, k, half))
					stored = reloaded(t, k, stored)
				}
				got := merged.Result(win, prev)
				if !same(got, whole) {
					t.Fatalf("panes give %v, the whole %v, rows %v", got, whole, rs)
				}
				if prev != nil {
					prev = reloaded(t, k, prev)
				}
				if again := stored.Result(win, prev); again != got || merged.Result(win, prev) != got {
					t.Fatalf("%v, after loads %v", got, again)
				}
			})
		})
	}
}

func TestResultsAgainstPlainComputation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rs := append(pane(t, 0), pane(t, paneSize)...)
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
			for _, name := range []string{"sum", "avg", "min", "max", "stddev", "variance", "p50", "median", "quantile", "rate", "increase", "delta", "integral", "twa"} {
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
			want["variance"] = sq / (n - 1)
		}
		for name, w := range want {
			if !same(get(name), edged.NumberValue(w)) {
				t.Fatalf("%s is %v, want %v of %v", name, get(name), w, xs)
			}
		}
		if get("median") != get("p50") {
			t.Fatal("the median is not p50")
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
