package expression

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"edged"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/checker"
	"github.com/expr-lang/expr/compiler"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/optimizer"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/types"
	"github.com/expr-lang/expr/vm"
)

const (
	maxColumns = 256
	maxLevels  = 32
)

// Expr is a compiled expression. It may be shared by goroutines.
type Expr struct {
	program *vm.Program
	direct  direct
	column  int // the slot, if the expression is one column only; else -1
	level   int // the level, if it is one level of the topic only; else -1
	columns []int
	levels  []int
	other   bool // it uses topic, time, qos or retain
	nils    bool // it speaks of nil itself: a missing column is its own affair
	bounded bool // something in it spends a budget
}

// Compile compiles an expression that may give any value.
func (s *Scope) Compile(text string) (*Expr, error) { return s.compile(text, reflect.Invalid) }

// CompileBool compiles an expression that gives true or false.
func (s *Scope) CompileBool(text string) (*Expr, error) { return s.compile(text, reflect.Bool) }

// compile takes the library's steps one by one: between parsing and checking, the names are rewritten, and only then is
// it known what the environment holds.
func (s *Scope) compile(text string, want reflect.Kind) (*Expr, error) {
	if strings.TrimSpace(text) == "" {
		return nil, errors.New("the expression is empty")
	}
	config := conf.CreateNew()
	config.Expect, config.ExpectAny = want, true
	for _, name := range indeterminate {
		config.Disabled[name] = true
		delete(config.Builtins, name)
	}
	tree, err := parser.ParseWithConfig(text, config)
	if err != nil {
		return nil, plain(err)
	}
	n := &names{scope: s, callees: map[ast.Node]bool{}, locals: map[string]bool{}, paths: map[ast.Node][]string{}, members: map[ast.Node]bool{}}
	if l := (&lags{scope: s}); !s.fixed {
		if ast.Walk(&tree.Node, l); l.err != nil {
			return nil, l.err
		}
	}
	ast.Walk(&tree.Node, calls{n})
	ast.Walk(&tree.Node, survey{n})
	ast.Walk(&tree.Node, n)
	if n.err != nil {
		return nil, n.err
	}
	if len(s.paths) > maxColumns {
		return nil, fmt.Errorf("a stream can name at most %d columns", maxColumns)
	}
	o := &operators{config: config}
	if ast.Walk(&tree.Node, o); o.err != nil {
		return nil, o.err
	}
	config.WithEnv(s.environment())
	if _, err := checker.Check(tree, config); err != nil {
		return nil, s.explain(plain(err))
	}
	if want == reflect.Bool && neverBool(tree.Node) {
		return nil, errors.New("it gives a number or a text, and is to give true or false: compare it with something")
	}
	x := s.describe(tree.Node, n)
	if err := optimizer.Optimize(&tree.Node, config); err != nil {
		return nil, s.explain(plain(err))
	}
	if !x.nils {
		x.direct = compileDirect(tree.Node)
	}
	x.bounded = bound(&tree.Node, config)
	if x.program, err = compiler.Compile(tree, config); err != nil {
		return nil, s.explain(plain(err))
	}
	s.uses = append(s.uses, used{text, x})
	return x, nil
}

// neverBool reports whether an expression cannot give true or false, whatever its columns hold.
func neverBool(root ast.Node) bool {
	switch n := root.(type) {
	case *ast.IntegerNode, *ast.FloatNode, *ast.StringNode:
		return true
	case *ast.UnaryNode:
		return n.Operator == "-" || n.Operator == "+"
	case *ast.BinaryNode:
		return slices.Contains([]string{"+", "-", "*", "/", "%", "**", "^", ".."}, n.Operator)
	case *ast.CallNode:
		_, remainder := callOf(n, remainderName)
		_, list := callOf(n, rangeName)
		return remainder || list
	}
	return false
}

// indeterminate are built-ins that give another value each time: results depend on the log alone. Those of maps follow Go's
// order of maps.
var indeterminate = []string{"now", "keys", "values", "toPairs"}

// describe notes what an expression names, and whether it is no more than one name.
func (s *Scope) describe(root ast.Node, n *names) *Expr {
	x := &Expr{column: -1, level: -1, columns: n.columns, levels: n.levels, other: n.other, nils: n.nils}
	slices.Sort(x.columns)
	slices.Sort(x.levels)
	x.columns, x.levels = slices.Compact(x.columns), slices.Compact(x.levels)
	if id, ok := root.(*ast.IdentifierNode); ok {
		switch {
		case len(x.columns) == 1 && id.Value == columnName(x.columns[0]):
			x.column = x.columns[0]
		case len(x.levels) == 1 && id.Value == levelName(x.levels[0]):
			x.level = x.levels[0]
		}
	}
	return x
}

func columnName(slot int) string { return "c" + strconv.Itoa(slot) }

func levelName(level int) string { return "t" + strconv.Itoa(level) }

// environment is what the expressions are type-checked against.
func (s *Scope) environment() types.Map {
	env := types.Map{budgetName: types.Any, "topic": types.String, "time": types.TypeOf(time.Time{}), "qos": types.Int, "retain": types.Bool}
	for i := range maxLevels {
		env[levelName(i)] = types.String
	}
	for slot := range s.paths {
		switch s.typeOf(slot) {
		case edged.Number:
			env[columnName(slot)] = types.Float64
		case edged.Text:
			env[columnName(slot)] = types.String
		case edged.Bool:
			env[columnName(slot)] = types.Bool
		case edged.Time:
			env[columnName(slot)] = types.TypeOf(time.Time{})
		default:
			env[columnName(slot)] = types.Any
		}
	}
	return env
}

// plain takes the drawing of the source out of the library's error and keeps the position.
func plain(err error) error {
	var fe *file.Error
	if errors.As(err, &fe) {
		return fmt.Errorf("%s (at character %d)", token.ReplaceAllString(fe.Message, "$1"), fe.Column+1)
	}
	return err
}

// token is how the library prints one: Operator(">").
var token = regexp.MustCompile(`token [A-Za-z]+\(("[^"]*")\)`)

var slotName = regexp.MustCompile(`\b[ct][0-9]+\b`)

// explain says columns and levels by their names instead of their slots.
func (s *Scope) explain(err error) error {
	return errors.New(slotName.ReplaceAllStringFunc(err.Error(), func(name string) string {
		i, _ := strconv.Atoi(name[1:])
		switch {
		case name[0] == 't':
			return "topic[" + name[1:] + "]"
		case i < len(s.paths) && s.nameOf(i) != "":
			return s.nameOf(i)
		}
		return name
	}))
}
