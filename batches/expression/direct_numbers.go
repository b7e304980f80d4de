package expression

import "github.com/expr-lang/expr/ast"

// directArithmetic is what needs a float on one side at least: with two whole numbers the machine computes otherwise.
func directArithmetic(operator string, a, b direct) direct {
	if a.number == nil || b.number == nil || a.whole && b.whole {
		return direct{}
	}
	var f func(x, y float64) float64
	switch operator {
	case "+":
		f = func(x, y float64) float64 { return x + y }
	case "-":
		f = func(x, y float64) float64 { return x - y }
	case "*":
		f = func(x, y float64) float64 { return x * y }
	default:
		f = func(x, y float64) float64 { return x / y }
	}
	return direct{number: func(r *Row) (float64, bool) {
		x, ok1 := a.number(r)
		y, ok2 := b.number(r)
		return f(x, y), ok1 && ok2
	}}
}

// directRemainder is x % y, of floats.
func directRemainder(n *ast.CallNode) direct {
	if _, ok := callOf(n, remainderName); !ok {
		return direct{}
	}
	a, b := compileDirect(n.Arguments[0]), compileDirect(n.Arguments[1])
	if a.number == nil || b.number == nil || a.whole && b.whole {
		return direct{}
	}
	return direct{number: func(r *Row) (float64, bool) {
		x, ok1 := a.number(r)
		y, ok2 := b.number(r)
		v, ok := modulo(x, y)
		return v, ok && ok1 && ok2
	}}
}

type ordered interface{ ~float64 | ~string }

// comparison is what an operator says of two values of one type; nil if it is none.
func comparison[T ordered](operator string) func(x, y T) bool {
	switch operator {
	case "==":
		return func(x, y T) bool { return x == y }
	case "!=":
		return func(x, y T) bool { return x != y }
	case "<":
		return func(x, y T) bool { return x < y }
	case "<=":
		return func(x, y T) bool { return x <= y }
	case ">":
		return func(x, y T) bool { return x > y }
	case ">=":
		return func(x, y T) bool { return x >= y }
	}
	return nil
}

// directComparison compares two numbers, two texts, or two truths for being equal, whichever both sides are.
func directComparison(operator string, a, b direct) direct {
	numbers, texts := comparison[float64](operator), comparison[string](operator)
	if numbers == nil {
		return direct{}
	}
	var tries []func(r *Row) (v, ok bool)
	if a.number != nil && b.number != nil && !(a.whole && b.whole) {
		tries = append(tries, func(r *Row) (v, ok bool) {
			x, ok1 := a.number(r)
			y, ok2 := b.number(r)
			return numbers(x, y), ok1 && ok2
		})
	}
	if a.text != nil && b.text != nil {
		tries = append(tries, func(r *Row) (v, ok bool) {
			x, ok1 := a.text(r)
			y, ok2 := b.text(r)
			return ok1 && ok2 && texts(x, y), ok1 && ok2
		})
	}
	if a.truth != nil && b.truth != nil && (operator == "==" || operator == "!=") {
		tries = append(tries, func(r *Row) (v, ok bool) {
			x, ok1 := a.truth(r)
			y, ok2 := b.truth(r)
			return (x == y) == (operator == "=="), ok1 && ok2
		})
	}
	switch len(tries) {
	case 0:
		return direct{}
	case 1:
		return direct{truth: tries[0]}
	}
	return direct{truth: func(r *Row) (v, ok bool) {
		for _, try := range tries {
			if v, ok = try(r); ok {
				return v, ok
			}
		}
		return false, false
	}}
}
