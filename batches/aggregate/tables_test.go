package aggregate

import (
	"testing"

	"edged"
)

// What each computes of a window of 10 s from 100 s on, worked out by hand.
func TestTables(t *testing.T) {
	const s = int64(1e9)
	win := edged.Window{Start: 100 * s, End: 110 * s}
	at := func(sec float64, v edged.Value) row { return row{v, int64(sec * 1e9)} }
	text, yes, no, null := edged.TextValue, edged.BoolValue(true), edged.BoolValue(false), edged.NullValue()
	json := edged.JSONValue
	temps := []row{at(102, num(20)), at(104, num(30)), at(104.5, null), at(105, text("warm")), at(109, num(10))} // °C
	before := []row{at(93, num(99)), at(98, num(16))}
	meter := []row{at(101, num(1050)), at(104, num(1080)), at(105, num(20)), at(108, num(50))} // pulses; it begins again at 105 s
	meterBefore := []row{at(90, num(1000)), at(99, num(1040))}
	disorder := []row{at(101, num(1)), at(105, num(5)), at(103, num(0)), at(107, num(6))}
	door := []row{at(102, yes), at(103, yes), at(104, num(0)), at(106, text("ajar")), at(107, num(1)), at(109, no)}
	pump := []row{at(102, text("on")), at(105, text("fault")), at(106, text("on")), at(106.5, null), at(109, yes)}
	words := []row{at(101, text("b")), at(102, text("a")), at(103, num(2)), at(104, text("b")), at(105, null), at(106, text("a")), at(107, text("c"))}
	for _, c := range []struct {
		name string
		rows []row
		prev []row
		want edged.Value
	}{
		{"twa", temps, nil, num((20*2 + 30*5 + 10*1) / 8.0)},            // °C, from 102 s on
		{"twa", temps, before, num((16*2 + 20*2 + 30*5 + 10*1) / 10.0)}, // °C
		{"twa", nil, before, num(16)},
		{"twa", []row{at(105, null)}, before, num(16)},
		{"twa", temps, []row{at(99, null)}, num(25)},
		{"twa", nil, nil, null},
		{"twa", disorder, nil, num((1*4 + 5*2 + 6*3) / 9.0)},
		{"duty", door, nil, num(0.5)},                         // 2 s + 2 s of 8 s
		{"duty", door, []row{at(95, yes)}, num(0.6)},          // and 2 s more, of 10 s
		{"duty", door, []row{at(95, no)}, num(0.4)},           //
		{"duty", nil, []row{at(95, yes), at(96, no)}, num(0)}, //
		{"duty", nil, []row{at(95, yes)}, num(1)},             //
		{"duty", []row{at(101, text("on"))}, nil, null},
		{"time_in_state", pump, nil, num(3 + 3)},                           // s
		{"time_in_state", pump, []row{at(99, text("on"))}, num(2 + 3 + 3)}, // s
		{"time_in_state", pump, []row{at(99, text("off"))}, num(3 + 3)},    // s
		{"time_in_state", []row{at(101, text("off"))}, nil, num(0)},
		{"time_in_state", nil, nil, null},
		{"edges", door, nil, num(3)},
		{"edges", door, []row{at(95, no)}, num(4)},
		{"edges", door, []row{at(95, yes)}, num(3)},
		{"edges", nil, []row{at(95, yes)}, num(0)},
		{"edges", nil, nil, num(0)},
		{"pulses", door, nil, num(1)},
		{"pulses", door, []row{at(95, no)}, num(2)},
		{"pulses", door, []row{at(95, yes)}, num(1)},
		{"pulses", nil, nil, num(0)},
		{"increase", meter, nil, num(30 + 20 + 30)},
		{"increase", meter, meterBefore, num(10 + 30 + 20 + 30)},
		{"increase", meter[:1], nil, null},
		{"increase", meter[:1], meterBefore, num(10)},
		{"increase", nil, meterBefore, null},
		{"increase", disorder, nil, num(5)},
		{"delta", meter, nil, num(50 - 1050)},
		{"delta", meter, meterBefore, num(50 - 1040)},
		{"delta", meter[:1], nil, null},
		{"delta", meter[:1], meterBefore, num(10)},
		{"delta", nil, meterBefore, null},
		{"delta", disorder, nil, num(5)},
		{"integral", temps, nil, num(25*2 + 20*5)},           // °C·s
		{"integral", temps, before, num(18*4 + 25*2 + 20*5)}, // °C·s
		{"integral", temps[:1], nil, null},
		{"integral", temps[:1], before, num(18 * 4)},
		{"integral", nil, before, null},
		{"integral", disorder, nil, num(3*4 + 5.5*2)},
		{"variance", temps, nil, num(100)}, // °C²: 20, 30, 10
		{"variance", temps[:1], nil, null},
		{"median", temps, nil, feed(Quantile(50), temps).Result(win, nil)},
		{"median", nil, nil, null},
		{"quantile", nil, nil, null},
		{"mode", words, nil, text("a")}, // as often as b, and smaller
		{"mode", temps, nil, num(10)},   // each once: numbers are smaller than texts
		{"mode", []row{at(101, yes), at(102, yes), at(103, no)}, nil, yes},
		{"mode", nil, nil, null},
		{"top_k", words, nil, json(`[{"value":"a","count":2},{"value":"b","count":2},{"value":2,"count":1},{"value":"c","count":1}]`)},
		{"top_k", nil, nil, null},
		{"histogram", temps, nil, json(`[0,0,0,3,0]`)},
		{"histogram", []row{at(1, num(-50)), at(1, num(-50.5)), at(1, num(-49)), at(1, num(0)), at(1, num(2.5)), at(1, num(2.6)), at(1, num(100)), at(1, num(1e9)), at(1, yes)}, nil, json(`[2,2,1,2,1]`)},
		{"histogram", nil, nil, json(`[0,0,0,0,0]`)},
		{"collect", words, nil, json(`["b","a",2,"b","a","c"]`)},
		{"collect", append(append(words, words...), words...), nil, json(`["b","a",2,"b","a","c","b","a",2,"b","a","c"]`)},
		{"collect", []row{at(1, json(`{"x":[1]}`)), at(1, yes), at(1, edged.TimeValue(1.5e9)), at(1, edged.BytesValue("ab")), at(1, text("<\"\n>"))}, nil,
			json(`[{"x":[1]},true,"1970-01-01T00:00:01.5Z","YWI=","<\"\n>"]`)},
		{"collect", nil, nil, null},
	} {
		k := kinds[c.name]
		var prev edged.Accumulator
		if c.prev != nil {
			prev = feed(k, c.prev)
		}
		if got := feed(k, c.rows).Result(win, prev); got != c.want {
			t.Errorf("%s of %v after %v is %v, want %v", c.name, c.rows, c.prev, got, c.want)
		}
	}
}

// What adds up over windows is the same however they are cut: nothing falls between two.
func TestWindowsAddUp(t *testing.T) {
	var all []row
	for i := range int64(100) {
		all = append(all, row{num(float64(max(50, (i*i*37+80)%101)) - 50), i * 1e9})
	}
	for _, name := range []string{"increase", "delta", "integral", "edges", "pulses"} {
		k := kinds[name]
		whole, _ := feed(k, all).Result(edged.Window{End: 100e9}, nil).Float()
		total := 0.0
		var prev edged.Accumulator
		for i := range 10 {
			a := feed(k, all[10*i:10*i+10])
			f, _ := a.Result(edged.Window{Start: int64(i) * 10e9, End: int64(i+1) * 10e9}, prev).Float()
			total, prev = total+f, a
		}
		if total != whole || whole == 0 {
			t.Errorf("%s: windows give %v, the whole %v", name, total, whole)
		}
	}
}

func TestQuantileShares(t *testing.T) {
	var rs []row
	for i := range 10001 {
		rs = append(rs, row{num(float64(i)), 0})
	}
	for q, want := range map[float64]float64{0: 0, 0.5: 5000, 0.995: 9950, 0.999: 9990, 1: 10000} {
		got, _ := feed(with(QuantileOf, num(q)), rs).Result(edged.Window{}, nil).Float()
		if got < want*0.99 || got > want*1.01 {
			t.Errorf("quantile(x, %v) is %v, want %v", q, got, want)
		}
	}
}

func TestConstants(t *testing.T) {
	text, yes := edged.TextValue, edged.BoolValue(true)
	many := make([]edged.Value, maxBounds+1)
	for i := range many {
		many[i] = num(float64(i))
	}
	wrong := append(many[:11:11], text("x"))
	for _, c := range []struct {
		kind      Kind
		constants []edged.Value
		want      string
	}{
		{QuantileOf, []edged.Value{num(5)}, "quantile's second argument is a share from 0 to 1, have 5"},
		{QuantileOf, []edged.Value{text("x")}, `quantile's second argument is a share from 0 to 1, have "x"`},
		{QuantileOf, nil, "quantile takes a column and a share, such as quantile(value, 0.995); have 0 constants"},
		{QuantileOf, []edged.Value{num(0.5), num(0.9)}, "quantile takes a column and a share, such as quantile(value, 0.995); have 2 constants"},
		{TopK, []edged.Value{num(0)}, "top_k's second argument is a whole number from 1 to 100, have 0"},
		{TopK, []edged.Value{num(2.5)}, "top_k's second argument is a whole number from 1 to 100, have 2.5"},
		{TopK, []edged.Value{num(1e300)}, "top_k's second argument is a whole number from 1 to 100, have 1e+300"},
		{TopK, nil, "top_k takes a column and how many values it gives, such as top_k(value, 5); have 0 constants"},
		{Collect, []edged.Value{num(1001)}, "collect's second argument is a whole number from 1 to 1000, have 1001"},
		{Collect, []edged.Value{yes}, "collect's second argument is a whole number from 1 to 1000, have true"},
		{Collect, nil, "collect takes a column and how many values it keeps, such as collect(value, 100); have 0 constants"},
		{Histogram, nil, "histogram takes a column and 1 to 100 bounds, such as histogram(value, 0, 10, 20); have 0 bounds"},
		{Histogram, many, "histogram takes a column and 1 to 100 bounds, such as histogram(value, 0, 10, 20); have 101 bounds"},
		{Histogram, []edged.Value{num(0), num(20), num(20)}, "histogram's bounds grow, have 20 after 20"},
		{Histogram, []edged.Value{num(0), text("x")}, `histogram's third argument is a bound, a number, have "x"`},
		{Histogram, wrong, `histogram's 13th argument is a bound, a number, have "x"`},
		{TimeInState, nil, `time_in_state takes a column and a state, such as time_in_state(value, "on"); have 0 constants`},
	} {
		if n, err := c.kind.With(c.constants); err == nil || err.Error() != c.want || n != nil {
			t.Errorf("%v: %v, want %s", c.constants, err, c.want)
		}
	}
	for n, want := range map[int]string{2: "second", 3: "third", 4: "4th", 11: "11th", 13: "13th", 21: "21st", 22: "22nd", 33: "33rd", 101: "101st"} {
		if got := ordinal(n); got != want {
			t.Errorf("%d is %s", n, got)
		}
	}
}
