package aggregate

import "edged"

// Integral is integral(x): the area under x over time by the trapezoid rule, in x's unit · s; watts become watt-seconds. What lies between
// the last reading before the window and the first one belongs to the window of the latter, so that the integrals of windows add up. It is
// null with fewer than two readings, or without one in the window.
var Integral = Kind{
	Argument: Number, Formula: "Σ((x₁ + x₂) / 2 · seconds between them) over neighbours, from the last reading before the window on, in the unit of x · s",
	Previous: true, New: (&rule{value: number, between: trapezoid, result: area}).accumulator,
}

func trapezoid(x, y, ns float64) float64 { return (x/2 + y/2) * ns }

func area(r *readings, _ edged.Window, prev *readings) edged.Value {
	all := r.after(prev)
	if !r.some() || all.sum.n < 2 {
		return edged.NullValue()
	}
	return edged.NumberValue(all.sum.total() / 1e9)
}
