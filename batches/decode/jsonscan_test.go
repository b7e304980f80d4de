package decode

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"edged"
	"edged/test/await"

	"github.com/valyala/fastjson"
	"pgregory.net/rapid"
)

var scanned = [][]string{{"value"}, {"a"}, nil, {"a", "b"}, {"a", "0"}, {"a", "01"}, {"b", "a", "b"}, {"é"}, {`a\`}, {"1", "1"}, {""}, {"b"}}

// parsed is what another parser makes of one column of a valid payload. It parses anew for each: it rewrites what was looked at.
func parsed(t fataler, payload string, path []string) edged.Value {
	root, err := fastjson.Parse(payload)
	if err != nil {
		t.Fatalf("%q: %v", payload, err)
	}
	v := root.Get(path...)
	if root.Type() != fastjson.TypeObject && root.Type() != fastjson.TypeArray && len(path) == 1 && path[0] == Value {
		v = root
	}
	if path == nil || v == nil {
		return edged.Value{}
	}
	switch v.Type() {
	case fastjson.TypeNumber:
		f, _ := strconv.ParseFloat(string(v.MarshalTo(nil)), 64) // the parser's own way does not round the last bit right
		return edged.NumberValue(f)
	case fastjson.TypeString:
		return edged.TextValue(string(v.GetStringBytes()))
	case fastjson.TypeTrue, fastjson.TypeFalse:
		return edged.BoolValue(v.GetBool())
	case fastjson.TypeNull:
		return edged.NullValue()
	}
	return edged.JSONValue(string(v.MarshalTo(nil)))
}

type fataler interface{ Fatalf(string, ...any) }

// checkScan holds the decoder against the standard library's idea of what is valid, and another parser's of what it says.
func checkScan(t fataler, d Decoder, cols []edged.Value, payload string) {
	_, err := d.Decode([]byte(payload), cols)
	good := json.Valid([]byte(payload)) && utf8.ValidString(payload) && !tooDeep([]byte(payload))
	if (err == nil) != good {
		t.Fatalf("%q: %v; it is valid: %t", payload, err, good)
	}
	for i, path := range scanned {
		want := edged.Value{}
		if good {
			if deep(payload) {
				continue
			}
			want = parsed(t, payload, path)
		}
		if cols[i] != want {
			t.Fatalf("%q: %q is %+v, want %+v", payload, path, cols[i], want)
		}
	}
}

// deep is what the other parser does not read any more.
func deep(payload string) bool {
	_, err := fastjson.Parse(payload)
	return err != nil && strings.Contains(err.Error(), "depth")
}

func drawBlank(t *rapid.T) string {
	return rapid.SampledFrom([]string{"", "", "", " ", "\n", "\r\n\t"}).Draw(t, "blank")
}

func drawJSON(t *rapid.T, depth int) string {
	top := 8
	if depth > 3 {
		top = 5
	}
	w := func() string { return drawBlank(t) }
	switch rapid.IntRange(0, top).Draw(t, "sort") {
	case 0:
		return rapid.SampledFrom([]string{"true", "false", "null", "tru", "nan", "nul", "Inf"}[:rapid.SampledFrom([]int{3, 3, 3, 7}).Draw(t, "words")]).Draw(t, "word")
	case 1:
		return rapid.StringMatching(`-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,20})?([eE][-+]?[0-9]{1,3})?`).Draw(t, "number")
	case 2:
		return rapid.StringMatching(`-?[0-9]{1,6}\.?[0-9]{0,3}`).Draw(t, "perhaps a number")
	case 3, 4, 5:
		return `"` + drawString(t) + `"`
	case 6:
		var parts []string
		for range rapid.IntRange(0, 3).Draw(t, "elements") {
			parts = append(parts, w()+drawJSON(t, depth+1)+w())
		}
		return "[" + strings.Join(parts, ",") + w() + "]"
	}
	var parts []string
	for range rapid.IntRange(0, 4).Draw(t, "fields") {
		key := rapid.SampledFrom([]string{"a", "b", "value", "1", "0", "01", `\u0061`, `\u0062`, `a\\`, "é", `\u00e9`, "", `val\u0075e`}).Draw(t, "key")
		parts = append(parts, w()+`"`+key+`"`+w()+":"+w()+drawJSON(t, depth+1)+w())
	}
	return "{" + strings.Join(parts, ",") + w() + "}"
}

func drawString(t *rapid.T) string {
	var out string
	for range rapid.IntRange(0, 4).Draw(t, "pieces") {
		out += rapid.SampledFrom([]string{
			"a", " ", "é", "😀", `\n`, `\"`, `\\`, `\/`, `\b`, `\f`, `\r`, `\t`, `\u0041`, `\u00E9`, `\ud83d\ude00`, `\ud83d`, `\ude00`, `\ud83dx`, `\ud83d\u0041`, "{", "]", ",",
			"\x7f", `\u000`, `\x`, "\n", "\x00", "\xff"}[:rapid.SampledFrom([]int{23, 23, 23, 28}).Draw(t, "pieces of")]).Draw(t, "piece")
	}
	return out
}

func TestJSONIsReadAsByOthers(t *testing.T) {
	d, cols := JSON.New(scanned), make([]edged.Value, len(scanned))
	rapid.Check(t, func(t *rapid.T) {
		payload := drawBlank(t) + drawJSON(t, 0) + drawBlank(t)
		if rapid.IntRange(0, 5).Draw(t, "spoilt") == 0 && payload != "" {
			at := rapid.IntRange(0, len(payload)-1).Draw(t, "at")
			payload = payload[:at] + rapid.SampledFrom([]string{"", ",", `"`, "}", "\\", "0", ":", " "}).Draw(t, "with") + payload[at+1:]
		}
		checkScan(t, d, cols, payload)
	})
}

func FuzzJSONIsReadAsByOthers(f *testing.F) {
	for _, s := range []string{
		`{"a":1,"a":2}`, `{"\u0061":1,"a":2}`, `{"a":{"b":1},"a":{"b":2}}`, `{"\u0061":{"b":1},"a":3}`, `{"a":[1,{"b":2}]}`, `[[1,2],[3,4]]`, `"\ud800\u0041"`, `{"a":{"b" : [ 1 , "x y" ]}}`,
		`{"a\\":1}`, "1-2", `{"a":01}`, "-", "1e999", "123456789012345678901", "{\"a\":\"\x01\"}", `{"a":1}x`, `{"b":{"a":{"b":"\u0007"}}}`,
	} {
		f.Add(s)
	}
	d, cols := JSON.New(scanned), make([]edged.Value, len(scanned))
	f.Fuzz(func(t *testing.T, payload string) { checkScan(t, d, cols, payload) })
}

// A short number is the same as by the long way.
func TestShortDecimals(t *testing.T) {
	short := 0
	await.Luck(t, func() bool { return short > 0 }, func(t *rapid.T) {
		text := rapid.StringMatching(`[-+]?[0-9]{0,16}\.?[0-9]{0,9}`).Draw(t, "number")
		f, ok := shortDecimal([]byte(text))
		if !ok {
			return
		}
		short++
		want, err := strconv.ParseFloat(text, 64)
		if err != nil || f != want {
			t.Fatalf("%q is %v, want %v, %v", text, f, want, err)
		}
	})
	if short == 0 {
		t.Error("none was short")
	}
}

// Each byte at each place of a long string, which is gone through in more ways than one, is taken as encoding/json takes it.
func TestLongStringsByteByByte(t *testing.T) {
	for n := range 60 {
		for c := range 0x80 {
			text := []byte(`{"long":"` + strings.Repeat("n", 60) + `"}`)
			text[len(`{"long":"`)+n] = byte(c)
			if got, want := checkJSON(text) == nil, json.Valid(text); got != want {
				t.Fatalf("%q is valid: %v, want %v", text, got, want)
			}
		}
	}
}
