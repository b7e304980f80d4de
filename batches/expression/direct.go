package expression

import (
	"strconv"
	"strings"

	"edged"
	"edged/internal/topic"

	"github.com/expr-lang/expr/ast"
)

// Comparisons, arithmetic and logic on columns, levels of the topic and constants are most of what streams say. They are compiled into functions
// on the columns besides, which need no boxed values, no map and no stack.
//
// A function that says ok has computed exactly what the virtual machine would. It does not say ok where an operand has another type than
// it is made for: the machine decides then, so that there is one meaning only. What cannot be compiled so is nil.
type direct struct {
	number func(r *Row) (v float64, ok bool)
	text   func(r *Row) (v string, ok bool)
	truth  func(r *Row) (v, ok bool)
	split  *split // for lists only

	// whole says that the machine has a number as an int, perhaps: it computes with two of them in ints, and may run over.
	whole bool
}

func (d direct) none() bool { return d.number == nil && d.text == nil && d.truth == nil }

// value is what toValue would make of the machine's result; false if the machine is to compute it.
func (d *direct) value(x *Expr, r *Row) (v edged.Value, ok bool) {
	switch {
	case d.none():
		return v, false
	case x.misses(r):
		return edged.NullValue(), true
	}
	if d.number != nil {
		if f, ok := d.number(r); ok {
			return edged.NumberValue(f), true
		}
	}
	if d.text != nil {
		if s, ok := d.text(r); ok {
			return edged.TextValue(s), true
		}
	}
	if d.truth != nil {
		if b, ok := d.truth(r); ok {
			return edged.BoolValue(b), true
		}
	}
	return v, false
}

// compileDirect compiles a tree as the machine gets it: checked, and optimized.
func compileDirect(node ast.Node) direct {
	switch n := node.(type) {
	case *ast.IntegerNode:
		v := float64(n.Value)
		return direct{whole: true, number: func(*Row) (float64, bool) { return v, true }}
	case *ast.FloatNode:
		v := n.Value
		return direct{number: func(*Row) (float64, bool) { return v, true }}
	case *ast.StringNode:
		v := n.Value
		return direct{text: func(*Row) (string, bool) { return v, true }}
	case *ast.BoolNode:
		v := n.Value
		return direct{truth: func(*Row) (bool, bool) { return v, true }}
	case *ast.IdentifierNode:
		return directName(n.Value)
	case *ast.UnaryNode:
		return directUnary(n.Operator, compileDirect(n.Node))
	case *ast.BinaryNode:
		return directBinary(n)
	case *ast.CallNode:
		return directRemainder(n)
	case *ast.BuiltinNode:
		return directSplit(n)
	}
	return direct{}
}

// directSplit is split(text, "…"). The machine makes a letter each of a text that is split by nothing.
func directSplit(n *ast.BuiltinNode) direct {
	if n.Name != "split" || len(n.Arguments) != 2 {
		return direct{}
	}
	text := compileDirect(n.Arguments[0]).text
	by, ok := n.Arguments[1].(*ast.StringNode)
	if text == nil || !ok || by.Value == "" {
		return direct{}
	}
	return direct{split: &split{text, by.Value}}
}

func directName(name string) direct {
	switch name {
	case "topic":
		return direct{text: func(r *Row) (string, bool) { return r.Topic, true }}
	case "retain":
		return direct{truth: func(r *Row) (bool, bool) { return r.Retain, true }}
	}
	i, err := strconv.Atoi(name[1:])
	switch {
	case err != nil:
		return direct{}
	case name == levelName(i):
		return direct{text: func(r *Row) (string, bool) { return topic.Level(r.Topic, i), true }}
	case name != columnName(i):
		return direct{}
	}
	return direct{
		number: func(r *Row) (float64, bool) { return r.Cols[i].Float() },
		text: func(r *Row) (string, bool) {
			v := &r.Cols[i]
			k := v.Kind()
			return v.Str(), k == edged.Text || k == edged.Bytes
		},
		truth: func(r *Row) (bool, bool) {
			v := &r.Cols[i]
			return v.Bool(), v.Kind() == edged.Bool
		},
	}
}

func directUnary(operator string, x direct) direct {
	switch {
	case (operator == "!" || operator == "not") && x.truth != nil:
		return direct{truth: func(r *Row) (bool, bool) {
			v, ok := x.truth(r)
			return !v, ok
		}}
	case operator == "-" && x.number != nil && !x.whole:
		return direct{number: func(r *Row) (float64, bool) {
			v, ok := x.number(r)
			return -v, ok
		}}
	}
	return direct{}
}

func directBinary(n *ast.BinaryNode) direct {
	if n.Operator == "in" {
		return directIn(compileDirect(n.Left), n.Right)
	}
	a, b := compileDirect(n.Left), compileDirect(n.Right)
	if a.none() || b.none() {
		return direct{}
	}
	switch n.Operator {
	case "and", "&&":
		return directLogic(a, b, false)
	case "or", "||":
		return directLogic(a, b, true)
	case "+", "-", "*", "/":
		return directArithmetic(n.Operator, a, b)
	case "contains":
		return directTexts(a, b, strings.Contains)
	case "startsWith":
		return directTexts(a, b, strings.HasPrefix)
	case "endsWith":
		return directTexts(a, b, strings.HasSuffix)
	}
	return directComparison(n.Operator, a, b)
}

// directLogic is a and b, or a or b, which needs no b if a is decided.
func directLogic(a, b direct, decided bool) direct {
	if a.truth == nil || b.truth == nil {
		return direct{}
	}
	return direct{truth: func(r *Row) (bool, bool) {
		v, ok := a.truth(r)
		if !ok || v == decided {
			return v, ok
		}
		return b.truth(r)
	}}
}

func directTexts(a, b direct, f func(a, b string) bool) direct {
	if a.text == nil || b.text == nil {
		return direct{}
	}
	return direct{truth: func(r *Row) (bool, bool) {
		x, ok1 := a.text(r)
		y, ok2 := b.text(r)
		return ok1 && ok2 && f(x, y), ok1 && ok2
	}}
}

// directIn is x in ["a", "b"], of which the library has made a set.
func directIn(x direct, set ast.Node) direct {
	c, ok := set.(*ast.ConstantNode)
	if !ok || x.text == nil {
		return direct{}
	}
	words, ok := c.Value.(map[string]struct{})
	if !ok {
		return direct{}
	}
	return direct{truth: func(r *Row) (bool, bool) {
		v, ok := x.text(r)
		if !ok {
			return false, false
		}
		_, in := words[v]
		return in, true
	}}
}
