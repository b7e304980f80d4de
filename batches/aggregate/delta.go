package aggregate

import "edged"

// Delta is delta(x): how much x has changed, with its sign, in x's unit. The last reading before the window is the beginning, so that
// the deltas of windows add up. It is null with fewer than two readings, or without one in the window.
var Delta = Kind{
	Argument: Number, Formula: "the last x − the last x before the window (without one, the first x), in the unit of x",
	Previous: true, New: (&rule{value: number, between: nothing, result: difference}).accumulator,
}

func nothing(_, _, _ float64) float64 { return 0 }

func difference(r *readings, _ edged.Window, prev *readings) edged.Value {
	all := r.after(prev)
	if !r.some() || all.sum.n < 2 {
		return edged.NullValue()
	}
	return edged.NumberValue(all.last - all.first)
}
