package aggregate

import (
	"strings"

	"edged"
	"edged/internal/rowcodec"
)

// inOrder is what the order of rows means in formulas. It shows on event time only, by which rows can come out of order.
const inOrder = "in log order; the steps of a sliding window, and sessions that a row has joined, count one after the other in the order of time"

// First is first(x): the value of the first row that has one.
var First = Kind{Argument: Any, Keeps: true, Formula: "the first x " + inOrder, New: func() edged.Accumulator { return new(first) }}

// Last is last(x): the value of the last row that has one.
var Last = Kind{Argument: Any, Keeps: true, Formula: "the last x " + inOrder, New: func() edged.Accumulator { return new(last) }}

type first struct{ v edged.Value }

func (a *first) Add(v edged.Value, _ int64) {
	if a.v.Missing() && !v.Missing() {
		a.v = own(v)
	}
}

func (a *first) Merge(later edged.Accumulator)                      { a.Add(later.(*first).v, 0) }
func (a *first) Result(edged.Window, edged.Accumulator) edged.Value { return orNull(a.v) }
func (a *first) AppendBinary(b []byte) []byte                       { return rowcodec.AppendValue(b, a.v) }
func (a *first) UnmarshalBinary(b []byte) error                     { return readValue(b, &a.v) }

type last struct{ v edged.Value }

func (a *last) Add(v edged.Value, _ int64) {
	if v.Missing() {
		return
	}
	if v.Kind() == edged.Text && v.Str() == a.v.Str() && a.v.Kind() == edged.Text {
		return // a state that stays costs no copy
	}
	a.v = own(v)
}

func (a *last) Merge(later edged.Accumulator)                      { a.Add(later.(*last).v, 0) }
func (a *last) Result(edged.Window, edged.Accumulator) edged.Value { return orNull(a.v) }
func (a *last) AppendBinary(b []byte) []byte                       { return rowcodec.AppendValue(b, a.v) }
func (a *last) UnmarshalBinary(b []byte) error                     { return readValue(b, &a.v) }

// own copies the text of a value, which belongs to a decoder.
func own(v edged.Value) edged.Value {
	switch v.Kind() {
	case edged.Text:
		return edged.TextValue(strings.Clone(v.Str()))
	case edged.JSON:
		return edged.JSONValue(strings.Clone(v.Str()))
	case edged.Bytes:
		return edged.BytesValue(strings.Clone(v.Str()))
	}
	return v
}

func orNull(v edged.Value) edged.Value {
	if v.Missing() {
		return edged.NullValue()
	}
	return v
}

func readValue(b []byte, v *edged.Value) error {
	r := rowcodec.Reader{B: b}
	*v = r.Value()
	if r.Err != nil || len(r.B) > 0 {
		return errState
	}
	return nil
}
