package rowcodec

import (
	"bytes"
	"reflect"
	"testing"

	"edged"

	"pgregory.net/rapid"
)

func value(t *rapid.T) edged.Value {
	s := rapid.String().Draw(t, "s")
	switch rapid.IntRange(0, 7).Draw(t, "kind") {
	case 0:
		return edged.Value{}
	case 1:
		return edged.NullValue()
	case 2:
		return edged.BoolValue(rapid.Bool().Draw(t, "b"))
	case 3:
		return edged.NumberValue(rapid.Float64().Draw(t, "f"))
	case 4:
		return edged.TimeValue(rapid.Int64().Draw(t, "t"))
	case 5:
		return edged.TextValue(s)
	case 6:
		return edged.JSONValue(s)
	}
	return edged.BytesValue(s)
}

func TestRowsReadAsWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := &edged.Rows{Stream: rapid.String().Draw(t, "stream"), Names: rapid.SliceOfN(rapid.String(), 1, 4).Draw(t, "names"), Cells: []edged.Value{}, At: []edged.Pos{}}
		for i := range rapid.IntRange(0, 5).Draw(t, "rows") {
			r.At = append(r.At, edged.Pos{Seq: 7, Off: uint32(i)})
			for range r.Names {
				r.Cells = append(r.Cells, value(t))
			}
		}
		b := Append(nil, r)
		got, err := Decode(b, 7, uint32(r.Len()))
		if err != nil || !reflect.DeepEqual(got, r) {
			t.Fatalf("wrote %+v\nread %+v, %v", r, got, err)
		}
		for cut := range b {
			if _, err := Decode(b[:cut], 7, uint32(r.Len())); err == nil {
				t.Fatalf("%d of %d bytes read as rows", cut, len(b))
			}
		}
	})
}

// Encoded values in a row are a key: two rows have the same key only if they are the same.
func TestValuesMakeKeys(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.SliceOf(rapid.Custom(value)).Draw(t, "a"), rapid.SliceOf(rapid.Custom(value)).Draw(t, "b")
		key := func(vs []edged.Value) (k []byte) {
			for _, v := range vs {
				k = AppendValue(k, v)
			}
			return k
		}
		if bytes.Equal(key(a), key(b)) != reflect.DeepEqual(append([]edged.Value{}, a...), append([]edged.Value{}, b...)) {
			t.Fatalf("%v and %v", a, b)
		}
	})
}

func FuzzDecode(f *testing.F) {
	f.Add(Append(nil, &edged.Rows{Stream: "s", Names: []string{"a"}, Cells: []edged.Value{edged.NumberValue(1)}, At: make([]edged.Pos, 1)}), uint32(1))
	f.Fuzz(func(_ *testing.T, b []byte, n uint32) { Decode(b, 1, n) })
}
