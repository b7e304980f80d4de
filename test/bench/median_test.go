package bench

import (
	"fmt"
	"slices"
)

// median is the middle of some figures, or between the two in the middle; 0 if there are none.
func median(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	s := slices.Clone(v)
	slices.Sort(s)
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

// ratios divides turn by turn.
func ratios(a, b []float64) (r []float64) {
	for i := range min(len(a), len(b)) {
		if b[i] > 0 {
			r = append(r, a[i]/b[i])
		}
	}
	return r
}

// growth is by how much the most that a later point costs exceeds an earlier one: 1 or less if the cost never grows.
func growth(cost []float64) (most float64) {
	for i := range cost {
		for k := range i {
			if cost[k] > 0 {
				most = max(most, cost[i]/cost[k])
			}
		}
	}
	return most
}

// spread is the dearest against the cheapest point.
func spread(cost []float64) float64 {
	if len(cost) == 0 || slices.Min(cost) <= 0 {
		return 0
	}
	return slices.Max(cost) / slices.Min(cost)
}

// perSecond says a rate.
func perSecond(v float64) string {
	if v >= 1e6 {
		return fmt.Sprintf("%.2f M/s", v/1e6)
	}
	return fmt.Sprintf("%.0f k/s", v/1e3)
}

func mib(bytes float64) string { return fmt.Sprintf("%.1f MiB", bytes/(1<<20)) }
