package aggregate

// Duty is duty(x): the share of the window's time in which x is true, 0 to 1. A number is true if it is not 0. Each reading holds as in
// twa(x); time before the first reading ever is left out.
var Duty = Kind{
	Argument: Any, Formula: "seconds in which x is true (or a number, and not 0) / seconds, 0 to 1; x holds as in twa(x)",
	Previous: true, New: (&rule{value: truth, between: holding, result: share}).accumulator,
}
