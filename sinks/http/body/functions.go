package body

import (
	"math"
	"strconv"
	"time"

	"edged"
	"edged/sinks/encode"
)

// allowed are the functions that a template may call, and the number of values that they take. and, or and not are the
// language's.
var allowed = map[string]int{
	"json": 1, "unix": 1, "unix_ms": 1, "unix_us": 1, "unix_ns": 1, "date": 2, "fixed": 2, "default": 2,
	"text": 1, "has": 1, "eq": 2, "ne": 2, "not": 1, "and": any1, "or": any1,
}

const any1 = -1 // one or more

// functions are called with as many values as allowed says. In a template a value is a string, float64, bool, time.Time, raw (JSON) or nil, the number
// of rows an int, and the whole row a row.
var functions = map[string]func(v []any) any{
	"json":    func(v []any) any { return raw(encode.AppendValue(nil, value(v[0]))) },
	"text":    func(v []any) any { return string(encode.AppendPlain(nil, value(v[0]))) },
	"unix":    func(v []any) any { return since(v[0], time.Second) },
	"unix_ms": func(v []any) any { return since(v[0], time.Millisecond) },
	"unix_us": func(v []any) any { return since(v[0], time.Microsecond) },
	"unix_ns": func(v []any) any { return since(v[0], 1) },
	"date":    func(v []any) any { return date(v[0], v[1]) },
	"fixed":   func(v []any) any { return fixed(v[0], v[1]) },
	"default": func(v []any) any {
		if value(v[1]).Missing() {
			return v[0]
		}
		return v[1]
	},
	"has": func(v []any) any { return !value(v[0]).Missing() },
	"eq":  func(v []any) any { return value(v[0]) == value(v[1]) },
	"ne":  func(v []any) any { return value(v[0]) != value(v[1]) },
	"not": func(v []any) any { return !truth(v[0]) },
	"and": func(v []any) any { return first(v, false) },
	"or":  func(v []any) any { return first(v, true) },
}

// first is the first value that is as true as that, or the last.
func first(v []any, as bool) any {
	for _, x := range v[:len(v)-1] {
		if truth(x) == as {
			return x
		}
	}
	return v[len(v)-1]
}

// raw is text that is JSON already.
type raw string

// row is what a template of a row gets: its values by column. The whole row, as the JSON object that it is elsewhere, is below
// whole, if the template uses it.
type row map[string]any

const whole = "" // no column has this name

// native makes what templates work with of a cell.
func native(v edged.Value) any {
	switch v.Kind() {
	case edged.Bool:
		return v.Bool()
	case edged.Number:
		f, _ := v.Float()
		return f
	case edged.Time:
		return time.Unix(0, v.Nanos()).UTC()
	case edged.Text:
		return v.Str()
	case edged.JSON:
		return raw(v.Str())
	case edged.Bytes:
		return string(encode.AppendPlain(nil, v)) // in base64
	}
	return nil
}

// value is the way back, also of the constants of a template.
func value(v any) edged.Value {
	switch v := v.(type) {
	case bool:
		return edged.BoolValue(v)
	case float64:
		return edged.NumberValue(v)
	case int:
		return edged.NumberValue(float64(v))
	case time.Time:
		return edged.TimeValue(v.UnixNano())
	case string:
		return edged.TextValue(v)
	case raw:
		return edged.JSONValue(string(v))
	case row:
		return value(v[whole])
	}
	return edged.NullValue()
}

// moment reads a time, also from a text in RFC 3339.
func moment(v any) (time.Time, bool) {
	switch v := v.(type) {
	case time.Time:
		return v, true
	case string:
		t, err := time.Parse(time.RFC3339Nano, v)
		return t.UTC(), err == nil
	}
	return time.Time{}, false
}

// since is a time since 1970 in whole units, towards the past. It is text: nanoseconds have more digits than a float64.
func since(v any, unit time.Duration) any {
	t, ok := moment(v)
	if !ok {
		return nil
	}
	sec, ns := t.Unix(), int64(t.Nanosecond())
	per := int64(time.Second / unit)
	if sec > math.MaxInt64/per-1 || sec < math.MinInt64/per+1 {
		return nil
	}
	return raw(strconv.FormatInt(sec*per+ns/int64(unit), 10))
}

func date(layout, v any) any {
	t, ok := moment(v)
	l, text := layout.(string)
	if !ok || !text {
		return nil
	}
	return t.Format(l)
}

// fixed writes at most 20 digits: a float64 has no more to say.
func fixed(digits, v any) any {
	f, ok := value(v).Float()
	n, whole := value(digits).Float()
	if !ok || !whole {
		return nil
	}
	return raw(strconv.FormatFloat(f, 'f', int(min(max(n, 0), 20)), 64))
}
