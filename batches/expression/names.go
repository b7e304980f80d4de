package expression

import (
	"errors"
	"fmt"

	"github.com/expr-lang/expr/ast"
)

// names rewrites the names in a parsed expression to those of the environment: c3 for the column in slot 3, t1 for
// topic[1]. It is a visitor of expr-lang's tree.
type names struct {
	scope   *Scope
	callees map[ast.Node]bool // names of functions
	locals  map[string]bool   // let x = …
	paths   map[ast.Node][]string
	members map[ast.Node]bool // inner nodes of a path: a in a.b
	columns []int
	levels  []int
	nils    bool // it speaks of nil itself
	other   bool // it names topic, time, qos or retain
	err     error
}

// builtIns are the names that win over payload fields.
var builtIns = map[string]bool{"topic": true, "time": true, "qos": true, "retain": true, "payload": true}

// calls notes the names of functions and of local variables. The library walks children before parents, so that this must
// be known before the survey begins.
type calls struct{ n *names }

// Visit implements ast.Visitor.
func (v calls) Visit(node *ast.Node) {
	switch x := (*node).(type) {
	case *ast.CallNode:
		v.n.callees[x.Callee] = true
	case *ast.VariableDeclaratorNode:
		v.n.locals[x.Name] = true
	}
}

// survey finds the paths: which names are columns, and which of them are only the beginning of a longer one.
type survey struct{ n *names }

// Visit implements ast.Visitor.
func (v survey) Visit(node *ast.Node) {
	switch x := (*node).(type) {
	case *ast.NilNode:
		v.n.nils = true
	case *ast.ChainNode:
		v.n.nils = true
	case *ast.BinaryNode:
		v.n.nils = v.n.nils || x.Operator == "??"
	case *ast.IdentifierNode:
		if !v.n.callees[x] && !v.n.locals[x.Value] {
			v.n.paths[x] = []string{x.Value}
		}
	case *ast.MemberNode:
		name, ok := x.Property.(*ast.StringNode)
		base, isPath := v.n.paths[x.Node]
		if ok && isPath && !(builtIns[base[0]] && base[0] != "payload") {
			v.n.paths[x] = append(base[:len(base):len(base)], name.Value)
			v.n.members[x.Node] = true
		}
	}
}

// Visit implements ast.Visitor.
func (n *names) Visit(node *ast.Node) {
	if n.err != nil {
		return
	}
	if x, ok := (*node).(*ast.MemberNode); ok {
		if id, ok := x.Node.(*ast.IdentifierNode); ok && id.Value == "topic" {
			n.level(node, x)
			return
		}
	}
	path, ok := n.paths[*node]
	if !ok || n.members[*node] {
		return
	}
	switch {
	case path[0] == "payload" && len(path) == 1:
		n.err = errors.New("payload is not a column: name one of its fields, payload.x")
	case path[0] == "payload":
		n.column(node, path[1:], (*Scope).Column)
	case builtIns[path[0]]:
		n.other = true
	default:
		n.column(node, path, (*Scope).resolve)
	}
}

func (n *names) column(node *ast.Node, path []string, find func(*Scope, []string) (int, error)) {
	slot, err := find(n.scope, path)
	if err != nil {
		n.err = err
		return
	}
	n.columns = append(n.columns, slot)
	ast.Patch(node, &ast.IdentifierNode{Value: columnName(slot)})
}

// level rewrites topic[i]: a string has no index in the language, and a missing level is "".
func (n *names) level(node *ast.Node, x *ast.MemberNode) {
	i, ok := x.Property.(*ast.IntegerNode)
	if !ok || i.Value < 0 || i.Value >= maxLevels {
		n.err = fmt.Errorf("topic[…] takes a level of the topic, a number from 0 to %d", maxLevels-1)
		return
	}
	n.levels = append(n.levels, i.Value)
	ast.Patch(node, &ast.IdentifierNode{Value: levelName(i.Value)})
}
