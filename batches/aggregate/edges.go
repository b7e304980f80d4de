package aggregate

import "edged"

// Edges is edges(x): how often x changed between true and false. A number is true if it is not 0. The last reading before the window
// is the state at its beginning; without one the first reading is no change. It is a count: 0 if nothing changed.
var Edges = Kind{
	Argument: Any, Formula: "number of changes of x between true (or a number, and not 0) and false, also of the first from the last before the window",
	Previous: true, New: (&rule{value: truth, between: changed, result: changes}).accumulator,
}

// Pulses is pulses(x): how often x went from false to true; otherwise like Edges.
var Pulses = Kind{
	Argument: Any, Formula: "number of changes of x from false (or 0) to true, also of the first from the last before the window",
	Previous: true, New: (&rule{value: truth, between: rose, result: changes}).accumulator,
}

func changed(x, y, _ float64) float64 { return indicator(x != y) }
func rose(x, y, _ float64) float64    { return indicator(x < y) }

func changes(r *readings, _ edged.Window, prev *readings) edged.Value {
	all := r.after(prev)
	return edged.NumberValue(all.sum.total())
}
