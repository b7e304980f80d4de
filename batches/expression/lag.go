package expression

import (
	"errors"
	"strings"

	"github.com/expr-lang/expr/ast"
)

// Lag is a use of lag(x): the value of x in the row before of the same key.
type Lag struct {
	Slot int   // of what it gives
	Of   *Expr // x
	text string
}

// Lags are the uses of lag in the expressions compiled so far.
func (s *Scope) Lags() []Lag { return s.lags }

// lags replaces calls of lag by the columns that they give. It must go before everything else that looks at the tree.
type lags struct {
	scope *Scope
	err   error
}

// Visit implements ast.Visitor.
func (v *lags) Visit(node *ast.Node) {
	call, ok := (*node).(*ast.CallNode)
	if !ok || v.err != nil {
		return
	}
	if id, ok := call.Callee.(*ast.IdentifierNode); !ok || id.Value != "lag" {
		return
	}
	if len(call.Arguments) != 1 {
		v.err = errors.New("lag takes one value: lag(value) is that of the row before")
		return
	}
	text := call.Arguments[0].String()
	if strings.Contains(text, aliasMark) {
		v.err = errors.New("lag cannot be nested")
		return
	}
	for _, l := range v.scope.lags {
		if l.text == text {
			ast.Patch(node, &ast.IdentifierNode{Value: columnAlias(l.Slot)})
			return
		}
	}
	x, err := v.scope.Compile(text)
	if err != nil {
		v.err = err
		return
	}
	slot := v.scope.Define("")
	v.scope.named[columnAlias(slot)] = slot
	v.scope.lags = append(v.scope.lags, Lag{slot, x, text})
	ast.Patch(node, &ast.IdentifierNode{Value: columnAlias(slot)})
}

// aliasMark is in the name of a column that has none, so that nobody can write it.
const aliasMark = "lag#"

func columnAlias(slot int) string { return aliasMark + columnName(slot) }

// NewResultScope makes a scope of the columns of results, in the order of their cells: there are no others.
func NewResultScope(columns []string) *Scope {
	s := &Scope{slots: map[string]int{}, named: map[string]int{}, fixed: true}
	for _, name := range columns {
		s.Define(name)
	}
	return s
}
