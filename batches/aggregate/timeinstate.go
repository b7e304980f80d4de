package aggregate

import "edged"

// TimeInState is time_in_state(x, state): the seconds of the window in which x equals the constant, a text, number or Bool. Each reading
// holds as in twa(x), and one of any other value ends the state; it is null if nothing is known of x.
var TimeInState = Kind{
	Argument: Any, Formula: "seconds in which x equals the constant; x holds as in twa(x)", Previous: true,
	With: func(constants []edged.Value) (func() edged.Accumulator, error) {
		if err := wantConstants("time_in_state", constants, 1, `a state, such as time_in_state(value, "on")`); err != nil {
			return nil, err
		}
		state := constants[0]
		r := &rule{between: holding, result: heldSeconds, value: func(v edged.Value) (float64, bool) {
			return indicator(v == state), !v.Missing()
		}}
		return r.accumulator, nil
	},
}

func heldSeconds(r *readings, w edged.Window, prev *readings) edged.Value {
	total, ns := r.held(w, prev)
	if ns == 0 {
		return edged.NullValue()
	}
	return edged.NumberValue(total / 1e9)
}
