package expression

import (
	"errors"
	"fmt"
	"math"
	"reflect"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/conf"
)

// The numbers of payloads are floats, and the library's % wants ints, as its .. does of a declared column. So both become calls of functions of our own, unless both
// sides are written as whole numbers: then the library computes what it always did.
//
// x % y is what is left of x when y has been taken from it as often as it goes, with the sign of x, as Go's % and math.Mod have it: -7 % 3 is -1, 7.5 % 2 is
// 1.5. By 0 it is null. x..y is the list of whole numbers from x to y, which are cut to whole ones before.
const (
	remainderName = "%" // no user can write a call of these names
	rangeName     = ".."
)

// maxRange is the most numbers in a list: what the budget of an evaluation is good for.
const maxRange = maxSteps * textBytes / 8

var (
	errByZero     = errors.New("there is no remainder of a division by 0")
	errNotNumbers = errors.New("wants two numbers")
)

// operators rewrites them, before the library checks types.
type operators struct {
	config *conf.Config
	err    error
}

// Visit implements ast.Visitor.
func (o *operators) Visit(node *ast.Node) {
	n, ok := (*node).(*ast.BinaryNode)
	if !ok || n.Operator != remainderName && n.Operator != rangeName {
		return
	}
	from, known1 := n.Left.(*ast.IntegerNode)
	to, known2 := n.Right.(*ast.IntegerNode)
	switch {
	case !known1 || !known2:
		name := n.Operator
		o.config.Functions[name] = &builtin.Function{Name: name, Func: remainder, Validate: func(args []reflect.Type) (reflect.Type, error) { return typeOf(name, args) }}
		ast.Patch(node, &ast.CallNode{Callee: &ast.IdentifierNode{Value: name}, Arguments: []ast.Node{n.Left, n.Right}})
	case n.Operator == rangeName && o.err == nil && float64(to.Value)-float64(from.Value) >= maxRange:
		o.err = fmt.Errorf("the list %d..%d is too long: %d numbers are the most (at character %d)", from.Value, to.Value, maxRange, n.Location().From+1)
	}
}

// typeOf checks the types of the two sides, as far as they are known, and gives that of the whole.
func typeOf(operator string, args []reflect.Type) (reflect.Type, error) {
	whole := true
	for _, a := range args {
		switch {
		case a == nil:
			return nil, fmt.Errorf("%s %w", operator, errNotNumbers)
		case a.Kind() >= reflect.Int && a.Kind() <= reflect.Uint64:
		case a.Kind() == reflect.Interface || a.Kind() == reflect.Float64 || a.Kind() == reflect.Float32:
			whole = false
		default:
			return nil, fmt.Errorf("invalid operation: %s (mismatched types %v and %v)", operator, args[0], args[1])
		}
	}
	switch {
	case operator == rangeName:
		return reflect.TypeFor[[]int](), nil
	case whole:
		return reflect.TypeFor[int](), nil
	}
	return reflect.TypeFor[any](), nil // which can be an index
}

// remainder is what is called in place of %. (In place of .. it is numbersFrom, which bound gives a budget.)
func remainder(args ...any) (any, error) {
	x, y := reflect.ValueOf(args[0]), reflect.ValueOf(args[1])
	if x.CanInt() && y.CanInt() {
		if y.Int() == 0 {
			return nil, errByZero
		}
		r := x.Int() % y.Int()
		if int64(int(r)) != r {
			return r, nil
		}
		return int(r), nil
	}
	f, ok1 := float(x)
	g, ok2 := float(y)
	if !ok1 || !ok2 {
		return nil, errNotNumbers
	}
	r, ok := modulo(f, g)
	if !ok {
		return nil, errByZero
	}
	return r, nil
}

// modulo is x % y of floats, which is exact, for whole ones too; false by 0.
func modulo(x, y float64) (float64, bool) { return math.Mod(x, y) + 0, y != 0 } // -0 + 0 is 0

func float(v reflect.Value) (float64, bool) {
	switch {
	case v.CanInt():
		return float64(v.Int()), true
	case v.CanUint():
		return float64(v.Uint()), true
	case v.CanFloat():
		return v.Float(), true
	}
	return 0, false
}

// numbersFrom is from..to. An int of a small machine has 32 bits: what does not fit is too much, as what is too long is.
func numbersFrom(b *budget, args []any) (any, error) {
	from, ok1 := float(reflect.ValueOf(args[0]))
	to, ok2 := float(reflect.ValueOf(args[1]))
	if !ok1 || !ok2 {
		return nil, errNotNumbers
	}
	from, to = math.Trunc(from), math.Trunc(to)
	size := to - from + 1
	switch most := min(1<<53, float64(math.MaxInt)); {
	case !(math.Abs(from) <= most && math.Abs(to) <= most):
		return nil, errBudget
	case size <= 0:
		return []int{}, nil
	case size > maxRange:
		return nil, errBudget
	}
	if err := b.spend(int(size) * 8 / textBytes); err != nil {
		return nil, err
	}
	list := make([]int, int(size))
	for i := range list {
		list[i] = int(from) + i
	}
	return list, nil
}

// callOf returns a call of the function with this name; false if the node is none.
func callOf(node ast.Node, name string) (*ast.CallNode, bool) {
	n, ok := node.(*ast.CallNode)
	if !ok {
		return nil, false
	}
	id, ok := n.Callee.(*ast.IdentifierNode)
	return n, ok && id.Value == name
}
