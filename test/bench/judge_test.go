package bench

import "testing"

// A figure is judged in the right direction, keys are names of one line each, and what bench/reasons.txt explains is in the table.
func TestJudgement(t *testing.T) {
	keys := map[string]bool{}
	for _, g := range goals {
		if keys[g.key] {
			t.Errorf("two lines are called %s", g.key)
		}
		keys[g.key] = true
		if g.goal == 0 && g.stretch == 0 {
			t.Errorf("%s: there is no goal", g.key)
		}
		if g.goal != 0 && g.stretch != 0 && g.more != (g.stretch > g.goal) {
			t.Errorf("%s: the stretch is easier than the goal", g.key)
		}
		far := 0.0
		if g.more {
			far = 1e9
		}
		if says, yes := g.reached(far); !yes || (says == "stretch") != (g.stretch != 0) {
			t.Errorf("%s: the best there is counts as %s", g.key, says)
		}
		if says, yes := g.reached(1e9 - far); yes {
			t.Errorf("%s: the worst there is counts as %s", g.key, says)
		}
	}
	reasons(t)
	for _, c := range []struct {
		cost           []float64
		growth, spread float64
	}{{[]float64{40, 10, 4}, 0.4, 10}, {[]float64{4, 2, 3}, 1.5, 2}, {[]float64{4, 4}, 1, 1}, {[]float64{2, 5}, 2.5, 2.5}} {
		if g, s := growth(c.cost), spread(c.cost); g != c.growth || s != c.spread {
			t.Errorf("%v: grows %v, spreads %v; want %v and %v", c.cost, g, s, c.growth, c.spread)
		}
	}
	if m := median([]float64{3, 1, 2}); m != 2 {
		t.Errorf("the median of 1, 2 and 3 is %v", m)
	}
	if m := median([]float64{4, 1}); m != 2.5 {
		t.Errorf("the median of 1 and 4 is %v", m)
	}
}
