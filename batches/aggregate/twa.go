package aggregate

import "edged"

// TWA is twa(x): the average of x over time, in x's unit, for sensors that report on change. Each reading holds until the next one, the last
// one to the window's end, and the last one before the window, however long ago, from the window's beginning on. If there is none, the average is that of the
// time from the first reading on. It is null without a reading in either.
var TWA = Kind{
	Argument: Number, Formula: "Σ(x · seconds until the next reading or the window's end) / seconds, in the unit of x; the last x before the window, however long ago, holds until the first reading in it; without one time begins with the first reading. Tumbling and sliding windows know what was before them, others do not",
	Previous: true, New: twaRule.accumulator,
}

var twaRule = &rule{value: number, between: holding, result: share}

// share is the held sum by the length of what is known.
func share(r *readings, w edged.Window, prev *readings) edged.Value {
	total, ns := r.held(w, prev)
	if ns == 0 {
		return edged.NullValue()
	}
	return edged.NumberValue(total / ns)
}
