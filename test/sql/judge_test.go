package sql

import "testing"

// Each rule sees what it is there to see.
func TestDifferencesAreSeen(t *testing.T) {
	right := func() table {
		cells := map[string]any{"lead": 1000.0, "different": 300.0, "rows": 1000.0}
		for _, c := range checks() {
			cells[c.name] = 100.0
		}
		cells["top_k_many"] = `[{"value":1,"count":500}]`
		return table{key{0, 10, "g"}: cells}
	}
	if _, problems := differences(right(), right()); len(problems) > 0 {
		t.Fatal(problems)
	}
	k := key{0, 10, "g"}
	for _, c := range checks() {
		for _, wrong := range []any{nil, 105.0, "x", `[{"value":1,"count":504}]`, `[{"value":1,"count":499}]`} {
			got := right()
			if got[k][c.name] = wrong; c.name == "distinct" && wrong == nil {
				continue // it is seen below, with the others
			}
			if _, problems := differences(got, right()); len(problems) == 0 {
				t.Errorf("%s may be %v instead of %v", c.name, wrong, right()[k][c.name])
			}
		}
		almost := right()
		if almost[k][c.name] = 100.00001; c.name == "sum" || c.name == "twa" || c.name == "rate" {
			if _, problems := differences(almost, right()); len(problems) == 0 {
				t.Errorf("%s may be off by one in ten million", c.name)
			}
		}
	}
	for _, other := range []table{{}, {k: right()[k], key{10, 20, "g"}: right()[k]}} {
		if _, problems := differences(other, right()); len(problems) == 0 {
			t.Error("a window too few or too many is not seen")
		}
	}
}
