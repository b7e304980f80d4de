package body

import (
	"text/template/parse"
	"time"

	"edged/sinks/encode"
)

// compiled is a template that was checked. It is rendered here and not by package text/template, which calls functions and methods by their
// names: with that in a program the linker leaves nothing out of it, a tenth of its size. Rendering does not fail.
type compiled struct{ root *parse.ListNode }

// append renders the template with the values of a row.
func (t compiled) append(dst []byte, r row) []byte {
	if t.root == nil {
		return dst
	}
	return list(dst, t.root, r)
}

func list(dst []byte, l *parse.ListNode, r row) []byte {
	for _, n := range l.Nodes {
		switch n := n.(type) {
		case *parse.TextNode:
			dst = append(dst, n.Text...)
		case *parse.ActionNode:
			dst = encode.AppendPlain(dst, value(pipe(n.Pipe, r)))
		case *parse.IfNode:
			if truth(pipe(n.Pipe, r)) {
				dst = list(dst, n.List, r)
			} else if n.ElseList != nil {
				dst = list(dst, n.ElseList, r)
			}
		}
	}
	return dst
}

// pipe gives each command's value to the next one as its last argument.
func pipe(p *parse.PipeNode, r row) (v any) {
	for i, c := range p.Cmds {
		f, ok := c.Args[0].(*parse.IdentifierNode)
		if !ok {
			v = arg(c.Args[0], r)
			continue
		}
		args := make([]any, 0, 4)
		for _, n := range c.Args[1:] {
			args = append(args, arg(n, r))
		}
		if i > 0 {
			args = append(args, v)
		}
		v = functions[f.Ident](args)
	}
	return v
}

func arg(n parse.Node, r row) any {
	switch n := n.(type) {
	case *parse.StringNode:
		return n.Text
	case *parse.BoolNode:
		return n.True
	case *parse.NumberNode:
		return n.Float64
	case *parse.FieldNode:
		return r[n.Ident[0]]
	case *parse.DotNode:
		return r
	case *parse.PipeNode:
		return pipe(n, r)
	}
	return nil
}

// truth is false of an empty text, 0, false and what is missing.
func truth(v any) bool {
	switch v := v.(type) {
	case bool:
		return v
	case float64:
		return v != 0
	case int:
		return v != 0
	case string:
		return v != ""
	case raw:
		return v != ""
	case row:
		return len(v) > 0
	case time.Time:
		return true
	}
	return false
}
