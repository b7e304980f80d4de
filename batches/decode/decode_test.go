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
	for _, s := range []string{`{"value":1}`, `1-2`, `{"a":01}`, "{\"a\":\"\xff\"}", `{"a":1}x`, "", `"\q"`, "\"\n\"", `[1,]`, `nul`, `-`, `1.`, `.5`, `{"a" :	1 }`} {
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

func TestNumberPathDoesNotAllocate(t *testing.T) {
	d := JSON.New([][]string{{"value"}, {"pin"}})
	cols := make([]edged.Value, 2)
	payload := []byte(`{"pin":1,"value":23.5,"ts":1731970000123,"seq":123,"conn":4}`)
	if n := testing.AllocsPerRun(100, func() { d.Decode(payload, cols) }); n > 0 {
		t.Errorf("%v allocations a payload", n)
	}
}

func BenchmarkJSON(b *testing.B) {
	d := JSON.New([][]string{{"value"}, {"pin"}})
	cols := make([]edged.Value, 2)
	payload := []byte(`{"pin":1,"value":23.5,"ts":1731970000123,"seq":123,"conn":4}`)
	for b.Loop() {
		d.Decode(payload, cols)
	}
}

// No payload makes a decoder panic, and whatever it accepts can be shown.
func FuzzDecoders(f *testing.F) {
	for _, s := range []string{"21.5", " -1e999 ", "nan", "+Inf", "0x10", "1e", "--1", "text\x00", "\xff", "", `{"value":{"a":[1,"\ud800"]}}`, `"\u0000"`, "[[[[1]]]]"} {
		f.Add(s)
	}
	paths := [][]string{{"value"}, {"value", "a"}, {"value", "a", "0"}, nil}
	decoders := []Decoder{JSON.New(paths), Number.New(paths), Text.New(paths), Raw.New(paths)}
	cols := make([]edged.Value, len(paths))
	f.Fuzz(func(t *testing.T, s string) {
		for i, d := range decoders {
			if _, err := d.Decode([]byte(s), cols); err != nil {
				continue
			}
			if v := d.Payload([]byte(s)); v.Missing() && v.Kind() == edged.Absent {
				t.Fatalf("decoder %d accepts %q and shows nothing", i, s)
			}
			for _, v := range cols {
				v.Float()
				_ = v.Str()
			}
		}
	})
}
