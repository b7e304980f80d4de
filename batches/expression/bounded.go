package expression

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/vm/runtime"
)

// One evaluation has a budget, so that no payload makes an expression take all the memory or an hour: repeat(name, n) with an n that
// somebody sends, a loop within a loop over a long array. The library bounds the elements of arrays (a million), and checks some of
// what it makes only once it is made; texts and the turns of loops are bounded here. Past the budget the evaluation fails like
// any other that cannot be computed: it gives null, and where is false.
const (
	maxSteps  = 250_000 // the turns of a loop over the longest array that a packet of the default size can hold, twice
	textBytes = 16      // bytes of new text that count as one step
)

var errBudget = errors.New("the expression takes too much memory or time for this payload")

// budget is what an evaluation may still spend. It is an argument of every call that can be expensive.
type budget struct{ left int }

func (b *budget) spend(steps int) error {
	if steps < 0 || steps > b.left {
		return errBudget
	}
	b.left -= steps
	return nil
}

func (b *budget) text(bytes int) error { return b.spend(bytes/textBytes + 1) }

// product multiplies without running over.
func product(a, b int) int {
	if a > 0 && b > math.MaxInt/a {
		return math.MaxInt
	}
	return a * b
}

// budgetName is what the environment calls the budget. No name of a user gets there: they become slots.
const budgetName = "budget"

// costly are the built-ins whose result or time can be more than a small multiple of their arguments, with what they spend. What has
// the wrong type costs nothing: it fails where it is called.
var costly = map[string]func(b *budget, args []any) error{
	"repeat": func(b *budget, args []any) error {
		text, _ := args[0].(string)
		n := runtime.ToInt(args[1])
		return b.text(product(len(text), max(n, 0)))
	},
	"join": func(b *budget, args []any) error {
		total, glue := 0, ""
		if len(args) > 1 {
			glue, _ = args[1].(string)
		}
		switch parts := args[0].(type) {
		case []string:
			for _, p := range parts {
				total += len(p) + len(glue)
			}
		case []any:
			for _, p := range parts {
				text, _ := p.(string)
				total += len(text) + len(glue)
			}
		}
		return b.text(total)
	},
	"replace": func(b *budget, args []any) error {
		text, _ := args[0].(string)
		old, _ := args[1].(string)
		with, _ := args[2].(string)
		return b.text(len(text) + product(len(text)/max(len(old), 1)+1, len(with)))
	},
	"uniq": func(b *budget, args []any) error { // it compares each with each
		v := reflect.ValueOf(args[0])
		if v.Kind() != reflect.Slice && v.Kind() != reflect.Array {
			return nil
		}
		return b.spend(product(v.Len(), v.Len()) / 100)
	},
	"toJSON": func(b *budget, args []any) error { // it indents
		text, err := json.Marshal(args[0])
		if err != nil {
			return err
		}
		total, depth := len(text), 0
		for _, c := range text {
			switch c {
			case '{', '[':
				depth++
				total += 2 * depth
			case '}', ']':
				depth--
				total += 2 * depth
			case ',':
				total += 2 * depth
			}
		}
		return b.text(total)
	},
}

// bound rewrites a checked tree so that what is costly is charged to the budget. It reports whether there was any such thing.
func bound(root *ast.Node, config *conf.Config) (any bool) {
	v := &bounds{config: config}
	ast.Walk(root, v)
	return v.any
}

type bounds struct {
	config *conf.Config
	any    bool
}

// Visit implements ast.Visitor.
func (v *bounds) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.PredicateNode:
		n.Node = v.call("step", spendStep, n.Node)
	case *ast.BinaryNode:
		if n.Operator == "+" && !numeric(n.Left) && !numeric(n.Right) {
			ast.Patch(node, v.call("plus", plus, n.Left, n.Right))
		}
	case *ast.CallNode:
		if _, ok := callOf(n, rangeName); ok {
			ast.Patch(node, v.call("bounded ..", numbersFrom, n.Arguments...))
		}
	case *ast.BuiltinNode:
		if cost, ok := costly[n.Name]; ok {
			ast.Patch(node, v.call("bounded "+n.Name, charged(n.Name, cost), n.Arguments...))
		}
	}
}

func numeric(n ast.Node) bool {
	switch n.(type) {
	case *ast.IntegerNode, *ast.FloatNode:
		return true
	}
	k := n.Type().Kind()
	return k >= reflect.Int && k <= reflect.Float64
}

func (v *bounds) call(name string, f func(b *budget, args []any) (any, error), args ...ast.Node) ast.Node {
	v.any = true
	v.config.Functions[name] = &builtin.Function{Name: name, Func: func(args ...any) (any, error) {
		return f(args[0].(*budget), args[1:])
	}}
	return &ast.CallNode{
		Callee:    &ast.IdentifierNode{Value: name},
		Arguments: append([]ast.Node{&ast.IdentifierNode{Value: budgetName}}, args...),
	}
}

func spendStep(b *budget, args []any) (any, error) { return args[0], b.spend(1) }

func plus(b *budget, args []any) (any, error) {
	if x, ok := args[0].(string); ok {
		y, _ := args[1].(string)
		if err := b.text(len(x) + len(y)); err != nil {
			return nil, err
		}
	}
	return runtime.Add(args[0], args[1]), nil
}

// charged is a built-in that is charged before it is called.
func charged(name string, cost func(*budget, []any) error) func(*budget, []any) (any, error) {
	f := builtin.Builtins[builtin.Index[name]]
	return func(b *budget, args []any) (any, error) {
		if err := cost(b, args); err != nil {
			return nil, err
		}
		if f.Safe != nil {
			v, _, err := f.Safe(args...)
			return v, err
		}
		return f.Func(args...)
	}
}
