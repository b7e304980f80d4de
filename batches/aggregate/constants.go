package aggregate

import (
	"fmt"
	"math"
	"strconv"

	"edged"
)

// wantConstants says what is wrong if there are not n constants after a column; what names those that are wanted.
func wantConstants(name string, have []edged.Value, n int, what string) error {
	if len(have) == n {
		return nil
	}
	return fmt.Errorf("%s takes a column and %s; have %d constants", name, what, len(have))
}

// wrongConstant is the error of constant i, counted from 0; the column before it is the first argument.
func wrongConstant(name string, constants []edged.Value, i int, want string) error {
	return fmt.Errorf("%s's %s argument is %s, have %s", name, ordinal(i+2), want, say(constants[i]))
}

// whole returns constant i, which is to be a whole number from 1 to most.
func whole(name string, constants []edged.Value, i, most int) (int, error) {
	f, ok := constants[i].Float()
	if !ok || f != math.Trunc(f) || f < 1 || f > float64(most) {
		return 0, wrongConstant(name, constants, i, fmt.Sprintf("a whole number from 1 to %d", most))
	}
	return int(f), nil
}

func ordinal(n int) string {
	switch {
	case n == 2:
		return "second"
	case n == 3:
		return "third"
	case n%10 == 1 && n%100 != 11:
		return strconv.Itoa(n) + "st"
	case n%10 == 2 && n%100 != 12:
		return strconv.Itoa(n) + "nd"
	case n%10 == 3 && n%100 != 13:
		return strconv.Itoa(n) + "rd"
	}
	return strconv.Itoa(n) + "th"
}

func say(v edged.Value) string {
	switch v.Kind() {
	case edged.Number:
		f, _ := v.Float()
		return strconv.FormatFloat(f, 'g', -1, 64)
	case edged.Bool:
		return strconv.FormatBool(v.Bool())
	}
	return strconv.Quote(v.Str())
}
