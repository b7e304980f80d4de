package edged

import (
	"cmp"
	"math"
	"strings"
)

// Kind is the type of a Value.
type Kind uint8

// The kinds, in the order in which values of different kinds sort.
const (
	Absent Kind = iota // no such column: not written
	Null
	Bool
	Number // float64
	Time   // nanoseconds since 1970, UTC; written as RFC 3339
	Text
	JSON  // one valid JSON value without line breaks, written as it is
	Bytes // written in base64
)

// Value is one cell. It is small, comparable with ==, and shares the memory of the string that it was made from.
type Value struct {
	kind Kind
	num  uint64
	str  string
}

// NullValue is JSON's null.
func NullValue() Value { return Value{kind: Null} }

// BoolValue makes a Bool.
func BoolValue(b bool) Value {
	if b {
		return Value{kind: Bool, num: 1}
	}
	return Value{kind: Bool}
}

// NumberValue makes a Number; NaN and infinities, which JSON cannot say, become Null.
func NumberValue(f float64) Value {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return NullValue()
	}
	if f == 0 {
		f = 0 // -0 and 0 are one group and one spelling
	}
	return Value{kind: Number, num: math.Float64bits(f)}
}

// TimeValue makes a Time from nanoseconds since 1970.
func TimeValue(ns int64) Value { return Value{kind: Time, num: uint64(ns)} }

// TextValue makes a Text.
func TextValue(s string) Value { return Value{kind: Text, str: s} }

// JSONValue makes a JSON from one valid JSON value without line breaks.
func JSONValue(raw string) Value { return Value{kind: JSON, str: raw} }

// BytesValue makes Bytes; the bytes are given as a string so that values stay comparable.
func BytesValue(b string) Value { return Value{kind: Bytes, str: b} }

// Kind returns the kind.
func (v Value) Kind() Kind { return v.kind }

// Bool returns a Bool's truth.
func (v Value) Bool() bool { return v.kind == Bool && v.num != 0 }

// Float returns a Number, and whether v is one.
func (v Value) Float() (float64, bool) { return math.Float64frombits(v.num), v.kind == Number }

// Nanos returns a Time's nanoseconds.
func (v Value) Nanos() int64 { return int64(v.num) }

// Str returns the string of a Text, JSON or Bytes.
func (v Value) Str() string { return v.str }

// Missing reports whether v is Absent or Null.
func (v Value) Missing() bool { return v.kind <= Null }

// Compare orders values: by kind first, then by value. It is the order in which the groups of a window are written.
func (v Value) Compare(w Value) int {
	if c := cmp.Compare(v.kind, w.kind); c != 0 {
		return c
	}
	switch v.kind {
	case Number:
		return cmp.Compare(math.Float64frombits(v.num), math.Float64frombits(w.num))
	case Time:
		return cmp.Compare(int64(v.num), int64(w.num))
	case Bool:
		return cmp.Compare(v.num, w.num)
	}
	return strings.Compare(v.str, w.str)
}
