package aggregate

import "edged"

// Increase is increase(x): how much a counter has grown, in x's unit. Resets, what is out of order, and the last reading before
// the window count as in Rate, so that the increases of windows add up. It is null with fewer than two readings, or without one in the window.
var Increase = Kind{
	Argument: Number, Formula: "growth of the counter x since the last reading before the window, resets understood, in the unit of x",
	Previous: true, New: func() edged.Accumulator { return new(grown) },
}

type grown struct{ counter }

func (a *grown) Merge(later edged.Accumulator) { a.join(&later.(*grown).counter) }

func (a *grown) Result(_ edged.Window, prev edged.Accumulator) edged.Value {
	var before *counter
	if p, ok := prev.(*grown); ok {
		before = &p.counter
	}
	all := a.after(before)
	if a.n == 0 || all.n < 2 {
		return edged.NullValue()
	}
	return edged.NumberValue(all.growth)
}
