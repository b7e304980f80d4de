package decode

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/tinylib/msgp/msgp"
	"pgregory.net/rapid"
)

func TestCBOR(t *testing.T) {
	enc := func(v any) string {
		b, err := cbor.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	at := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	cases{
		{enc(map[string]any{"value": 21.5, "a": map[string]any{"b": "x"}}), "21.5 'x' {\"b\":\"x\"} -"},
		{enc(map[string]any{"value": -3, "a": []any{1, map[any]any{"k": []byte{255}}}}), `-3 - [1,{"k":"/w=="}] -`},
		{enc(map[string]any{"value": true, "1": "text"}), "true - - 'text'"},
		{enc(map[any]any{"value": []byte{0, 255}, 1: "number"}), `b"\x00\xff" - - 'number'`},
		{enc(map[string]any{"value": nil}), "null - - -"},
		{enc(7), "7 - - -"},
		{enc([]any{7, "second"}), "- - - 'second'"},
		{enc(map[string]any{"value": cbor.Tag{Number: 1, Content: at.Unix()}}), fmt.Sprintf("@%d - - -", at.UnixNano())},
		{enc(map[string]any{"value": cbor.Tag{Number: 0, Content: "2026-11-20T10:00:00Z"}}), fmt.Sprintf("@%d - - -", at.UnixNano())},
		{enc(map[string]any{"value": cbor.Tag{Number: 4, Content: []any{-2, 2151}}}), "21.51 - - -"},
		{enc(map[string]any{"value": cbor.Tag{Number: 55799, Content: 5}}), "5 - - -"},
		{"\xa1\x65value\x18\xff", "255 - - -"},
		{"\xa1\x65value\xfb\x7f\xf8\x00\x00\x00\x00\x00\x00", "null - - -"},
		{"\xbf\x65value\x01\xff", "1 - - -"},                                                          // of indefinite length
		{"\xa1\x65value\xc2\x49\x01\x00\x00\x00\x00\x00\x00\x00\x00", "1.8446744073709552e+19 - - -"}, // a large number
		{"\xa1\x65value\x3b\xff\xff\xff\xff\xff\xff\xff\xff", "-1.8446744073709552e+19 - - -"},
		{"", "error: EOF"},
		{"\xa1\x65value", "error: EOF"},
		{"\x01\x02", "error: extraneous data"},
		{"\xa2\x61a\x01\x61a\x02", "error: duplicate"},
		{"\xa1\x61\xff\x01", "error: UTF-8"},
		{"\xa1\x80\x01", "error: "},
		{"\xa1\xf5\x01", "error: neither a text nor a whole number"},
		{"\xa2\x01\x01\x61" + "1\x02", "error: both as a text and as a number"},
		{strings.Repeat("\x81", 400) + "\x01", "error: nested more than 300 levels"},
		{"\x9b\x7f\xff\xff\xff\xff\xff\xff\xff", "error: "},
		{"\x9a\x00\x10\x00\x00\x01", "error: "},
	}.run(t, CBOR, "value a.b a 1")
}

func TestMsgPack(t *testing.T) {
	enc := func(v any) string {
		b, err := msgp.AppendIntf(nil, v)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	at := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	cases{
		{enc(map[string]any{"value": 21.5, "a": map[string]any{"b": "x"}}), "21.5 'x' {\"b\":\"x\"} -"},
		{enc(map[string]any{"value": float32(0.5), "a": []any{1, int64(-1 << 60), uint64(1 << 63)}}), "0.5 - [1,-1152921504606846976,9223372036854775808] -"},
		{enc(map[string]any{"value": []byte{0, 255}, "1": "text"}), `b"\x00\xff" - - 'text'`},
		{"\x82\x01\xa3one\xa5value\xc2", "false - - 'one'"},
		{enc(map[string]any{"value": at}), fmt.Sprintf("@%d - - -", at.UnixNano())},
		{"\x81\xa5value\xc7\x0c\xff\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x02", "@2000000001 - - -"},
		{"\x81\xa5value\xd4\x07\x01", "null - - -"}, // an extension
		{"\xc0", "null - - -"},
		{"\x07", "7 - - -"},
		{"", "error: it ends too early"},
		{"\x81\xa5val", "error: it ends too early"},
		{"\x01\x02", "error: 1 bytes follow"},
		{"\x82\xa1a\x01\xa1a\x02", `error: the key "a" twice`},
		{"\x81\xc3\x01", "error: neither a text nor a whole number"},
		{"\x82\x01\x01\xa1" + "1\x02", "error: both as a text and as a number"},
		{"\x81\xa1\xff\x01", "error: not UTF-8"},
		{"\xc1", "error: "},
		{strings.Repeat("\x91", 400) + "\x01", "error: nested more than 300 levels"},
		{"\xdd\xff\xff\xff\xff", "error: more than there are"},
		{"\xdf\xff\xff\xff\xff\x01", "error: more than there are"},
		{"\xdd\x00\x02\x00\x00" + strings.Repeat("\x01", 1<<17), "error: more than 65536"},
	}.run(t, MsgPack, "value a.b a 1")
}

// What both encodings say is what is shown, and the same bytes each time.
func TestTreesAreShown(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tree := anyTree(4).Draw(t, "tree")
		want, err := json.Marshal(tree)
		if err != nil {
			t.Skip("JSON has no such value:", err)
		}
		packed, err := msgp.AppendIntf(nil, tree)
		if err != nil {
			t.Fatal(err)
		}
		boxed, err := cbor.Marshal(tree)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			k       Kind
			payload []byte
		}{{MsgPack, packed}, {CBOR, boxed}} {
			d := c.k.New(nil)
			if _, err := d.Decode(c.payload, nil); err != nil {
				t.Fatal(err)
			}
			shown := d.Payload(c.payload)
			var a, b any
			if json.Unmarshal(want, &a) != nil || json.Unmarshal([]byte(shown.Str()), &b) != nil || !reflect.DeepEqual(a, b) {
				t.Fatalf("%s is shown as %s", want, shown.Str())
			}
			if d.Decode(c.payload, nil); d.Payload(c.payload) != shown {
				t.Fatalf("shown as %s, then as %s", shown.Str(), d.Payload(c.payload).Str())
			}
		}
	})
}

func anyTree(depth int) *rapid.Generator[any] {
	of := []*rapid.Generator[any]{
		rapid.Map(rapid.Bool(), func(v bool) any { return v }), rapid.Map(rapid.Float64Range(-1e9, 1e9), func(v float64) any { return v }),
		rapid.Map(rapid.Int64Range(-1<<50, 1<<50), func(v int64) any { return v }), rapid.Map(rapid.String(), func(v string) any { return v }),
		rapid.Just[any](nil), rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 9), func(v []byte) any { return v }),
	}
	if depth > 0 {
		of = append(of,
			rapid.Map(rapid.SliceOfN(anyTree(depth-1), 0, 4), func(v []any) any { return v }),
			rapid.Map(rapid.MapOfN(rapid.String(), anyTree(depth-1), 0, 4), func(v map[string]any) any { return v }))
	}
	return rapid.OneOf(of...)
}
