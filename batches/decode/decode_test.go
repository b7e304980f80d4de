package decode

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"edged"
)

func TestJSONColumns(t *testing.T) {
	d := JSON.New([][]string{{"value"}, {"a", "b"}, {"s"}, {"on"}, {"none"}, {"missing"}, {"list"}, nil})
	cols := make([]edged.Value, 8)
	if _, err := d.Decode([]byte("{\"value\": 21.5,\n\"a\":{\"b\":-3e2},\"s\":\"x\\u00e9\\n\",\"on\":true,\"none\":null,\"list\":[1, {\"k\":2}]}\r\n"), cols); err != nil {
		t.Fatal(err)
	}
	want := []edged.Value{
		edged.NumberValue(21.5), edged.NumberValue(-300), edged.TextValue("xé\n"), edged.BoolValue(true), edged.NullValue(), {}, edged.JSONValue(`[1,{"k":2}]`), {},
	}
	for i := range want {
		if cols[i] != want[i] {
			t.Errorf("column %d is %+v, want %+v", i, cols[i], want[i])
		}
	}
	if got := d.Payload([]byte(" {\"a\":\r\n 1}\n")).Str(); got != `{"a": 1}` {
		t.Errorf("payload %q", got)
	}
	if _, err := d.Decode([]byte("21.5"), cols); err != nil || cols[0] != edged.NumberValue(21.5) {
		t.Errorf("a bare number: %+v, %v", cols[0], err)
	}
	if _, err := d.Decode([]byte("[1,2]"), cols); err != nil || !cols[0].Missing() {
		t.Errorf("an array: %+v, %v", cols[0], err)
	}
}

// Whatever the decoder accepts can be put into a line of JSON, and the library's strict parser accepts it too.
func FuzzJSONIsStrict(f *testing.F) {
	for _, s := range []string{`{"value":1}`, `1-2`, `{"a":01}`, "{\"a\":\"\xff\"}", `{"a":1}x`, "", `"\q"`, "\"\n\"", `[1,]`, `nul`, `-`, `1.`, `.5`, `{"a" :	1 }`, "\"\x14\\t\"", "{\"\t\\t\":\"\n\\n\"}", "\"\\t\x14\"", "{\n\"a\\t\":1}"} {
		f.Add(s)
	}
	d := JSON.New([][]string{{"value"}})
	cols := make([]edged.Value, 1)
	f.Fuzz(func(t *testing.T, s string) {
		_, err := d.Decode([]byte(s), cols)
		if err == nil && !json.Valid([]byte(s)) {
			t.Fatalf("accepted %q", s)
		}
		if err == nil {
			p := d.Payload([]byte(s)).Str()
			if !json.Valid([]byte(p)) || strings.ContainsAny(p, "\r\n") {
				t.Fatalf("%q is shown as %q", s, p)
			}
		}
	})
}

func TestNumbers(t *testing.T) {
	d := Number.New([][]string{{"value"}})
	cols := make([]edged.Value, 1)
	for text, want := range map[string]float64{"21.5": 21.5, " -3\n": -3, "1e3": 1000, "+.5": .5, "0": 0} {
		if _, err := d.Decode([]byte(text), cols); err != nil || cols[0] != edged.NumberValue(want) {
			t.Errorf("%q: %+v, %v", text, cols[0], err)
		}
	}
	for _, text := range []string{"nan", "-inf", "NaN", "1e999"} {
		if _, err := d.Decode([]byte(text), cols); err != nil || cols[0] != edged.NullValue() {
			t.Errorf("%q: %+v, %v", text, cols[0], err)
		}
	}
	for _, text := range []string{"", "x", "1 2", "0x10", "1_000", "21,5", "--1", "e"} {
		if _, err := d.Decode([]byte(text), cols); err == nil {
			t.Errorf("%q: %+v", text, cols[0])
		}
	}
	if edged.NumberValue(math.NaN()) != edged.NullValue() {
		t.Error("NaN is not null")
	}
}

func TestTextAndRaw(t *testing.T) {
	cols := make([]edged.Value, 1)
	text := Text.New([][]string{{"value"}})
	if _, err := text.Decode([]byte("on"), cols); err != nil || cols[0] != edged.TextValue("on") {
		t.Errorf("%+v, %v", cols[0], err)
	}
	if _, err := text.Decode([]byte{0xff}, cols); err == nil {
		t.Error("invalid UTF-8 is no text")
	}
	raw := Raw.New(nil)
	if _, err := raw.Decode([]byte{0xff}, nil); err != nil || raw.Payload([]byte{0xff}) != edged.BytesValue("\xff") {
		t.Error(err)
	}
}
