package expression

import (
	"encoding/json"
	"time"

	"edged"
	"edged/internal/topic"

	"github.com/expr-lang/expr/vm"
)

// Row is what expressions are evaluated on.
type Row struct {
	Cols   []edged.Value // by slot
	Topic  string
	Time   int64 // the stream's time, ns
	QoS    byte
	Retain bool
}

// Evaluator runs expressions. Each goroutine has its own.
type Evaluator struct {
	vm     vm.VM
	env    map[string]any
	topic  string // whose levels env holds
	levels []string
	names  []string // c0, c1, …
	budget budget
	list   []edged.Value // what List gave last
}

// NewEvaluator makes an evaluator.
func NewEvaluator() *Evaluator { return &Evaluator{env: map[string]any{}} }

// True reports whether a where expression holds. A missing column, an operand of the wrong type, and a result that is
// neither true nor false make it false.
func (e *Evaluator) True(x *Expr, r *Row) bool {
	if f := x.direct.truth; f != nil {
		if x.misses(r) {
			return false
		}
		if v, ok := f(r); ok {
			return v
		}
	}
	v, ok := e.run(x, r)
	b, isBool := v.(bool)
	return ok && isBool && b
}

// Value evaluates an expression; what it cannot compute is null. Texts may share the memory of the row's columns.
func (e *Evaluator) Value(x *Expr, r *Row) edged.Value {
	if x.column >= 0 { // most are, and this much is inlined
		return r.Cols[x.column]
	}
	return e.compute(x, r)
}

func (e *Evaluator) compute(x *Expr, r *Row) edged.Value {
	if x.level >= 0 {
		return edged.TextValue(topic.Level(r.Topic, x.level))
	}
	if v, ok := x.direct.value(x, r); ok {
		return v
	}
	v, ok := e.run(x, r)
	if !ok {
		return edged.NullValue()
	}
	return toValue(v)
}

// OfTopic reports whether an expression depends on the topic's levels only, so that its value is the same for every
// message of a topic.
func (x *Expr) OfTopic() bool { return x.level >= 0 }

// misses reports whether a column is missing that the expression cannot do without.
func (x *Expr) misses(r *Row) bool {
	if x.nils {
		return false
	}
	for _, slot := range x.columns {
		if r.Cols[slot].Missing() {
			return true
		}
	}
	return false
}

func (e *Evaluator) run(x *Expr, r *Row) (any, bool) {
	if x.misses(r) {
		return nil, false
	}
	for _, slot := range x.columns {
		e.env[e.name(slot)] = fromValue(r.Cols[slot])
	}
	if len(x.levels) > 0 && (e.topic != r.Topic || e.levels == nil) {
		e.setLevels(r.Topic)
	}
	if x.other {
		e.env["topic"], e.env["qos"], e.env["retain"] = r.Topic, int(r.QoS), r.Retain
		e.env["time"] = time.Unix(0, r.Time).UTC()
	}
	if x.bounded {
		e.budget.left = maxSteps
		e.env[budgetName] = &e.budget
	}
	v, err := e.vm.Run(x.program, e.env)
	e.forget(x, r)
	return v, err == nil
}

// forget lets go of objects and arrays, which can be large: the next row may be long in coming.
func (e *Evaluator) forget(x *Expr, r *Row) {
	for _, slot := range x.columns {
		if r.Cols[slot].Kind() == edged.JSON {
			e.env[e.name(slot)] = nil
			e.vm = vm.VM{} // its stack still has them
		}
	}
}

func (e *Evaluator) name(slot int) string {
	for len(e.names) <= slot {
		e.names = append(e.names, columnName(len(e.names)))
	}
	return e.names[slot]
}

func (e *Evaluator) setLevels(name string) {
	if e.levels == nil {
		for i := range maxLevels {
			e.levels = append(e.levels, levelName(i))
		}
	}
	e.topic = name
	for i, key := range e.levels {
		e.env[key] = topic.Level(name, i)
	}
}

func fromValue(v edged.Value) any {
	switch v.Kind() {
	case edged.Bool:
		return v.Bool()
	case edged.Number:
		f, _ := v.Float()
		return f
	case edged.Time:
		return time.Unix(0, v.Nanos()).UTC()
	case edged.Text, edged.Bytes:
		return v.Str()
	case edged.JSON:
		var x any
		if json.Unmarshal([]byte(v.Str()), &x) == nil {
			return x
		}
	}
	return nil
}

func toValue(v any) edged.Value {
	switch x := v.(type) {
	case nil:
		return edged.NullValue()
	case bool:
		return edged.BoolValue(x)
	case float64:
		return edged.NumberValue(x)
	case int:
		return edged.NumberValue(float64(x))
	case int64:
		return edged.NumberValue(float64(x))
	case string:
		return edged.TextValue(x)
	case time.Time:
		return edged.TimeValue(x.UnixNano())
	case time.Duration:
		return edged.NumberValue(x.Seconds())
	}
	text, err := json.Marshal(v)
	if err != nil {
		return edged.NullValue()
	}
	return edged.JSONValue(string(text))
}
