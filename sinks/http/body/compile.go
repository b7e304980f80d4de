package body

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"text/template/parse"

	"edged/internal/human"
)

// compile reads a template, holds it against what is allowed, and lists the names of the values that it uses.
func compile(name, text string) (t compiled, names []string, err error) {
	trees, err := parse.Parse(name, text, "", "", words)
	if err != nil {
		return t, nil, plain(err, name)
	}
	if len(trees) > 1 {
		return t, nil, errors.New("define and block are not known here")
	}
	w := walker{}
	if tree := trees[name]; tree != nil {
		if err := w.list(tree.Root); err != nil {
			return t, nil, err
		}
		t.root = tree.Root
	}
	return t, w.names, nil
}

// words are the names that the parser is to know as functions: ours, and those of which it is better said that they are not known here.
var words = func() map[string]any {
	known := map[string]any{"printf": true, "print": true, "println": true, "len": true, "index": true, "slice": true, "call": true, "html": true, "js": true, "urlquery": true, "lt": true, "le": true, "gt": true, "ge": true, "write": true}
	for name := range allowed {
		known[name] = true
	}
	return known
}()

// plain takes off what the standard library puts in front of its errors: the name of the template, known from the key.
func plain(err error, name string) error {
	text := strings.TrimPrefix(err.Error(), "template: "+name+":")
	if at, rest, ok := strings.Cut(text, ": "); ok && strings.Trim(at, "0123456789:") == "" {
		line, _, _ := strings.Cut(at, ":")
		text = "line " + line + ": " + rest
	}
	return errors.New(text)
}

// walker goes over a template's nodes, and refuses those that are not allowed.
type walker struct{ names []string }

func (w *walker) list(l *parse.ListNode) error {
	if l == nil {
		return nil
	}
	for _, n := range l.Nodes {
		if err := w.node(n); err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) node(n parse.Node) error {
	switch n := n.(type) {
	case *parse.TextNode, *parse.CommentNode:
		return nil
	case *parse.ActionNode:
		return w.pipe(n.Pipe)
	case *parse.IfNode:
		if err := w.pipe(n.Pipe); err != nil {
			return err
		}
		if err := w.list(n.List); err != nil {
			return err
		}
		return w.list(n.ElseList)
	}
	word, _, _ := strings.Cut(strings.Trim(n.String(), "{}- "), " ")
	return fmt.Errorf("%s is not known here: a template is for one row, and has values, functions and if", word)
}

func (w *walker) pipe(p *parse.PipeNode) error {
	if len(p.Decl) > 0 {
		return fmt.Errorf("{{%s}}: there are no variables here", p)
	}
	for i, c := range p.Cmds {
		if err := w.command(c, i > 0); err != nil {
			return fmt.Errorf("{{%s}}: %w", p, err)
		}
	}
	return nil
}

// command checks a value, or a function with its arguments; piped says that one more comes from the command before it.
func (w *walker) command(c *parse.CommandNode, piped bool) error {
	args := c.Args
	n := len(args) - 1
	if piped {
		n++
	}
	if f, ok := args[0].(*parse.IdentifierNode); ok {
		most, known := allowed[f.Ident]
		switch {
		case !known:
			return unfamiliar(f.Ident)
		case most == any1 && n == 0:
			return fmt.Errorf("%s wants a value", f.Ident)
		case most != any1 && n != most:
			return fmt.Errorf("%s wants %s, and has %d", f.Ident, human.Plural(most, "value", "values"), n)
		}
		args = args[1:]
	} else if n > 0 {
		return fmt.Errorf("%s is no function; functions are %s", args[0], functionNames())
	}
	for _, arg := range args {
		if err := w.arg(arg); err != nil {
			return err
		}
	}
	return nil
}

func unfamiliar(word string) error {
	return fmt.Errorf("%s is not known here; want a value, such as .%s, or a function: %s", word, word, functionNames())
}

func functionNames() string { return strings.Join(slices.Sorted(maps.Keys(allowed)), ", ") }

func (w *walker) arg(n parse.Node) error {
	switch n := n.(type) {
	case *parse.StringNode, *parse.BoolNode:
		return nil
	case *parse.NumberNode:
		if n.IsFloat && math.Abs(n.Float64) < 1<<31 { // whole numbers are an int, which has 32 bits on some of our machines
			return nil
		}
		return fmt.Errorf("%s is no number that can be used here", n)
	case *parse.FieldNode:
		if len(n.Ident) > 1 {
			return fmt.Errorf("a column has nothing below it; have the stream select what is wanted: select = { %s = \"payload%s\" }", n.Ident[len(n.Ident)-1], n)
		}
		w.names = append(w.names, n.Ident[0])
		return nil
	case *parse.DotNode:
		w.names = append(w.names, whole)
		return nil
	case *parse.PipeNode:
		return w.pipe(n)
	case *parse.IdentifierNode:
		return unfamiliar(n.Ident)
	}
	return fmt.Errorf("%s is not known here; values are .COLUMN", n)
}
