package batches

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"edged"
	"edged/batches/aggregate"
	"edged/batches/expression"
	"edged/internal/conf"
)

var call = regexp.MustCompile(`^\s*([A-Za-z_][A-Za-z0-9_]*)\s*\((.*)\)\s*$`)

func (b *builder) aggregates(pairs conf.Pairs) {
	p := b.p
	for _, pr := range pairs {
		b.name("aggregate", pr.Key)
		kind, input, err := b.aggregate(pr.Value)
		if err != nil {
			b.fail("aggregate", pr.Key, err)
			continue
		}
		if kind.Keeps {
			p.keeping = append(p.keeping, len(p.aggs))
		}
		p.aggs, p.input = append(p.aggs, aggregated{pr.Key, kind}), append(p.input, input)
	}
}

// input is the place of an expression in the plan's inputs, where it may stand for another aggregate already; that of no expression, too.
func (b *builder) input(text string) (int, error) {
	if i, ok := b.inputs[text]; ok {
		return i, nil
	}
	var x *expression.Expr
	if text != "" {
		var err error
		if x, err = b.scope.Compile(text); err != nil {
			return 0, err
		}
	}
	i := len(b.inputs)
	b.inputs[text] = i
	b.p.inputs = append(b.p.inputs, x)
	return i, nil
}

// aggregate compiles one function: the first of its arguments is an expression, the others are constants.
func (b *builder) aggregate(text string) (kind aggregate.Kind, input int, err error) {
	m := call.FindStringSubmatch(text)
	if m == nil {
		return kind, 0, fmt.Errorf(`%q is not an aggregate; write a function of a column, such as "avg(value)"`, text)
	}
	k, ok := Aggregates.Find(m[1])
	if !ok {
		return kind, 0, fmt.Errorf("unknown aggregate %q%s", m[1], conf.Suggest(m[1], Aggregates.Names()))
	}
	kind = k.New()
	if kind.Argument == aggregate.None {
		if strings.TrimSpace(m[2]) != "" {
			return kind, 0, fmt.Errorf("%s() takes no argument", k.Name)
		}
		input, err = b.input("")
		return kind, input, err
	}
	args := splitArguments(m[2])
	switch {
	case args[0] == "" && kind.With != nil:
		return kind, 0, fmt.Errorf("%s needs a column and what comes after it: %s", k.Name, k.Doc)
	case args[0] == "":
		return kind, 0, fmt.Errorf("%s needs a column, such as %s(value)", k.Name, k.Name)
	case len(args) > 1 && kind.With == nil:
		return kind, 0, fmt.Errorf("%s takes a column only, have %d arguments", k.Name, len(args))
	}
	if kind.With != nil {
		if kind.New, err = withConstants(k.Name, kind, args[1:]); err != nil {
			return kind, 0, err
		}
	}
	input, err = b.input(args[0])
	return kind, input, err
}

func withConstants(name string, kind aggregate.Kind, texts []string) (func() edged.Accumulator, error) {
	var constants []edged.Value
	for _, text := range texts {
		v, ok := constant(text)
		if !ok {
			return nil, fmt.Errorf("%q is no constant; what %s takes after its column is a number, a quoted text, true or false", text, name)
		}
		constants = append(constants, v)
	}
	return kind.With(constants)
}

// splitArguments cuts at the commas that are in no text and in no bracket. There is always one argument, which may be empty.
func splitArguments(text string) (args []string) {
	depth, quote, from := 0, byte(0), 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quote != 0:
			if c == '\\' && quote != '`' {
				i++
			} else if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'' || c == '`':
			quote = c
		case c == '(' || c == '[' || c == '{':
			depth++
		case c == ')' || c == ']' || c == '}':
			depth--
		case c == ',' && depth == 0:
			args = append(args, strings.TrimSpace(text[from:i]))
			from = i + 1
		}
	}
	return append(args, strings.TrimSpace(text[from:]))
}

var decimal = regexp.MustCompile(`^[-+]?[0-9.]+([eE][-+]?[0-9]+)?$`)

// singleQuoted turns what is in single quotes, as expressions know them, into what is in double quotes. A single quote in it ends it too early, and
// so does what that is turned into.
var singleQuoted = strings.NewReplacer(`\'`, `'`, `\\`, `\\`, `\"`, `\"`, `"`, `\"`, `'`, `"`)

// constant reads a number, a text in quotes of any kind, true or false.
func constant(text string) (v edged.Value, ok bool) {
	switch {
	case text == "true" || text == "false":
		return edged.BoolValue(text == "true"), true
	case decimal.MatchString(text):
		f, err := strconv.ParseFloat(text, 64)
		return edged.NumberValue(f), err == nil
	case len(text) > 1 && text[0] == '\'' && text[len(text)-1] == '\'':
		text = `"` + singleQuoted.Replace(text[1:len(text)-1]) + `"`
	}
	if !strings.HasPrefix(text, `"`) && !strings.HasPrefix(text, "`") {
		return v, false
	}
	s, err := strconv.Unquote(text)
	return edged.TextValue(s), err == nil
}
