package expression

import (
	"strconv"
	"strings"

	"edged"

	"github.com/valyala/fastjson"
)

// CompileList compiles an expression that may give a list.
func (s *Scope) CompileList(text string) (*Expr, error) { return s.Compile(text) }

// List evaluates an expression, and returns the elements of what it gives: those of a list, the value itself if it is none, and nothing if there is
// nothing. They are valid until the next call; texts in them may share the memory of the row's columns.
func (e *Evaluator) List(x *Expr, r *Row) (list []edged.Value) {
	if cap(e.list) > maxKept {
		e.list = nil
	}
	list = e.list[:0]
	defer func() { e.list = list }()
	if f := x.direct.split; f != nil && !x.misses(r) {
		if text, ok := f.text(r); ok {
			return appendSplit(list, text, f.by)
		}
	}
	if x.column >= 0 {
		return elements(r.Cols[x.column])
	}
	v, ok := e.run(x, r)
	if !ok {
		return nil
	}
	switch l := v.(type) {
	case []string:
		for _, s := range l {
			list = append(list, edged.TextValue(s))
		}
		return list
	case []any:
		for _, y := range l {
			list = append(list, toValue(y))
		}
		return list
	}
	return elements(toValue(v))
}

// maxKept is the longest list whose memory is used again.
const maxKept = 1024

// split is split(text, by).
type split struct {
	text func(r *Row) (v string, ok bool)
	by   string // not ""
}

// appendSplit appends what strings.Split gives.
func appendSplit(list []edged.Value, text, by string) []edged.Value {
	for {
		part, rest, more := strings.Cut(text, by)
		if list = append(list, edged.TextValue(part)); !more {
			return list
		}
		text = rest
	}
}

// elements takes a JSON array apart.
func elements(v edged.Value) (list []edged.Value) {
	if v.Missing() {
		return nil
	}
	if v.Kind() == edged.JSON {
		if a, err := fastjson.Parse(v.Str()); err == nil && a.Type() == fastjson.TypeArray {
			for _, y := range a.GetArray() {
				list = append(list, ofJSON(y))
			}
			return list
		}
	}
	return []edged.Value{v}
}

// Field is a field of a JSON object; Absent if v is none or has it not.
func Field(v edged.Value, path []string) edged.Value {
	if v.Kind() != edged.JSON {
		return edged.Value{}
	}
	o, err := fastjson.Parse(v.Str())
	if err != nil {
		return edged.Value{}
	}
	if f := o.Get(path...); f != nil {
		return ofJSON(f)
	}
	return edged.Value{}
}

// ofJSON is a parsed value, with memory of its own.
func ofJSON(v *fastjson.Value) edged.Value {
	switch v.Type() {
	case fastjson.TypeNumber:
		f, _ := strconv.ParseFloat(string(v.MarshalTo(nil)), 64) // out of range gives ±Inf, which is null
		return edged.NumberValue(f)
	case fastjson.TypeString:
		return edged.TextValue(string(v.GetStringBytes()))
	case fastjson.TypeTrue:
		return edged.BoolValue(true)
	case fastjson.TypeFalse:
		return edged.BoolValue(false)
	case fastjson.TypeNull:
		return edged.NullValue()
	}
	return edged.JSONValue(string(v.MarshalTo(nil)))
}
