package body

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"edged"
	"edged/internal/conf"

	"pgregory.net/rapid"
)

const at = 1763632800123456789 // 2025-11-20T10:00:00.123456789Z

func readings() *edged.Rows {
	r := &edged.Rows{Stream: "pins", Names: []string{"time", "topic", "device", "value", "on", "unit", "extra", "epoch"}}
	for i, v := range []edged.Value{edged.NumberValue(23.456), edged.NumberValue(1e6), {}} {
		r.Cells = append(r.Cells, edged.TimeValue(at+int64(i)*1e9), edged.TextValue("site/1"), edged.TextValue("the \"old\" pump\n"), v,
			edged.BoolValue(i == 0), edged.TextValue("°C"), edged.JSONValue(`{"a":[1,null]}`), edged.Value{})
		r.At = append(r.At, edged.Pos{Seq: 1, Off: uint32(i)})
	}
	return r
}

func render(t testing.TB, c Config, rows *edged.Rows) string {
	t.Helper()
	p, err := c.Compile()
	if err != nil {
		t.Fatal(err)
	}
	b := p.Append([]byte("before "), rows)
	text, ok := strings.CutPrefix(string(b), "before ")
	if !ok {
		t.Fatalf("what was there is gone: %s", b)
	}
	return text
}

// TestRealShapes are the bodies that known services take, as templates and what they make.
func TestRealShapes(t *testing.T) {
	for name, c := range map[string]Config{
		// one state of a home automation's entity
		"state": {Row: `{"state":{{json .value}},"attributes":{"friendly_name":{{json .device}},"unit_of_measurement":{{json .unit}},"last_seen":{{json .time}}}}`},
		// arrays of time and value below the name of a series
		"series": {Prefix: `{"series":{{json .stream}},"count":{{.rows}},"points":[`, Row: `[{{unix_ms .time}},{{json .value}}]`, Separator: ",", Suffix: `]}`},
		// a collector of logs: nanoseconds as text, and a line of text
		"lines": {Prefix: `{"streams":[{"stream":{"job":"edged"},"values":[`, Row: "\n" + `["{{unix_ns .time}}",{{json (text .)}}]`, Separator: ",", Suffix: "\n]}]}\n"},
		// events one after the other, some with fields that others do not have
		"events": {Row: `{"time":{{unix .time}}.{{date "000" .time}},"event":{ {{- if has .value}}"value":{{fixed 1 .value}},{{end}}"on":{{.on}},"kind":{{json (default "none" .epoch)}}}}`, Separator: "\n"},
	} {
		t.Run(name, func(t *testing.T) {
			rows := readings()
			if name == "state" {
				rows = rows.Slice(0, 1)
			}
			got := render(t, c, rows)
			golden := filepath.Join("testdata", name+".golden")
			want, err := os.ReadFile(golden)
			if os.Getenv("EDGED_GOLDEN") != "" {
				err = os.WriteFile(golden, []byte(got), 0o644)
				want = []byte(got)
			}
			if err != nil || got != string(want) {
				t.Errorf("%v\ngot\n%s\nwant\n%s", err, got, want)
			}
			for d := json.NewDecoder(strings.NewReader(got)); d.More(); {
				var v any
				if err := d.Decode(&v); err != nil {
					t.Fatalf("it is not JSON: %v\n%s", err, got)
				}
			}
		})
	}
}

func TestFunctions(t *testing.T) {
	for text, want := range map[string]string{
		"no value":   "no value",
		"{{json .}}": `{"stream":"pins","time":"2025-11-20T10:00:00.123456789Z","topic":"site/1","device":"the \"old\" pump\n","value":23.456,"on":true,"unit":"°C","extra":{"a":[1,null]}}`,
		"{{json (text .value)}} {{json (text .extra)}} {{text .epoch}}":                             `"23.456" "{\"a\":[1,null]}" null`,
		"{{.value}} {{.on}} {{.time}} {{.device}}":                                                  "23.456 true 2025-11-20T10:00:00.123456789Z the \"old\" pump\n",
		"{{.extra}} {{json .extra}}":                                                                `{"a":[1,null]} {"a":[1,null]}`,
		"{{.epoch}} {{json .epoch}} {{.nosuch}}":                                                    "null null null",
		"{{json .time}} {{json .on}} {{json 1.50}}":                                                 `"2025-11-20T10:00:00.123456789Z" true 1.5`,
		"{{json .device}}":                                                                          `"the \"old\" pump\n"`,
		"{{unix .time}} {{unix_ms .time}} {{unix_us .time}} {{.time | unix_ns}}":                    "1763632800 1763632800123 1763632800123456 1763632800123456789",
		`{{unix_ms "1969-12-31T23:59:59.999Z"}} {{unix "x"}} {{unix .value}}`:                       "-1 null null",
		`{{date "02.01.2006 15:04" .time}} {{date 3 .time}} {{date "2006" .on}}`:                    "20.11.2025 10:00 null null",
		`{{fixed 1 .value}} {{fixed 0 .value}} {{fixed 100 1}} {{fixed 1 .unit}} {{fixed .unit 1}}`: "23.5 23 1.00000000000000000000 null null",
		`{{default 0 .epoch}} {{default 0 .value}} {{json (default "x" .epoch)}}`:                   `0 23.456 "x"`,
		`{{if .epoch}}a{{else if .on}}b{{else}}c{{end}}`:                                            "b",
		`{{if has .value}}a{{end}}{{if not (has .value)}}b{{end}}`:                                  "a",
		`{{if eq .unit "°C"}}a{{end}}{{if and .on (ne .value 3)}}b{{end}}{{if or (eq .value 23.456) .epoch}}c{{end}}{{if eq .epoch .nosuch}}d{{end}}`: "abcd",
		"{{- /* a comment */ -}} x":                "x",
		"{{json .stream}}":                         `"pins"`,
		`{{unix_ns "9999-01-01T00:00:00Z"}}`:       "null",
		"{{and .on .value}} {{or .epoch .device}}": "23.456 the \"old\" pump\n",
	} {
		if got := render(t, Config{Row: text}, readings().Slice(0, 1)); got != want {
			t.Errorf("%s\ngot  %q\nwant %q", text, got, want)
		}
	}
}

// TestForbidden: what could loop, allocate without bound, read elsewhere or fail later does not compile; the message says
// what to write.
func TestForbidden(t *testing.T) {
	for text, want := range map[string]string{
		"{{range .rows}}x{{end}}":                    "range is not known here: a template is for one row, and has values, functions and if",
		"{{range 1000000000}}{{end}}":                "range is not known here: a template is for one row, and has values, functions and if",
		"{{if true}}{{range 9}}{{end}}{{end}}":       "range is not known here: a template is for one row, and has values, functions and if",
		"{{if .a}}{{else}}{{with .a}}{{end}}{{end}}": "with is not known here: a template is for one row, and has values, functions and if",
		`{{define "a"}}{{template "a"}}{{end}}`:      "define and block are not known here",
		`{{block "a" .}}{{end}}`:                     "define and block are not known here",
		`{{template "row"}}`:                         "template is not known here: a template is for one row, and has values, functions and if",
		"{{$x := .a}}":                               "{{$x := .a}}: there are no variables here",
		"{{$}}":                                      "{{$}}: $ is not known here; values are .COLUMN",
		"{{json nil}}":                               "{{json nil}}: nil is not known here; values are .COLUMN",
		"{{.payload.device.id}}":                     `{{.payload.device.id}}: a column has nothing below it; have the stream select what is wanted: select = { id = "payload.payload.device.id" }`,
		`{{printf "%999999999d" 1}}`:                 `{{printf "%999999999d" 1}}: printf is not known here; want a value, such as .printf, or a function: and, date, default, eq, fixed, has, json, ne, not, or, text, unix, unix_ms, unix_ns, unix_us`,
		"{{write .a}}":                               "{{write .a}}: write is not known here; want a value, such as .write, or a function: and, date, default, eq, fixed, has, json, ne, not, or, text, unix, unix_ms, unix_ns, unix_us",
		"{{value}}":                                  `line 1: function "value" not defined`,
		"a\n{{json}}":                                "{{json}}: json wants 1 value, and has 0",
		"{{if .a}}{{fixed .a}}{{end}}":               "{{fixed .a}}: fixed wants 2 values, and has 1",
		"{{.a | fixed 1 2}}":                         "{{.a | fixed 1 2}}: fixed wants 2 values, and has 3",
		"{{if or}}{{end}}":                           "{{or}}: or wants a value",
		"{{.a .b}}":                                  "{{.a .b}}: .a is no function; functions are and, date, default, eq, fixed, has, json, ne, not, or, text, unix, unix_ms, unix_ns, unix_us",
		"{{json json}}":                              "{{json json}}: json is not known here; want a value, such as .json, or a function: and, date, default, eq, fixed, has, json, ne, not, or, text, unix, unix_ms, unix_ns, unix_us",
		"{{default 3000000000 .a}}":                  "{{default 3000000000 .a}}: 3000000000 is no number that can be used here",
		"{{json 1i}}":                                "{{json 1i}}: 1i is no number that can be used here",
		"x\n{{.a":                                    "line 2: unclosed action",
		"{{if .a}}":                                  "line 1: unexpected EOF",
		"{{(json .a).b}}":                            "{{(json .a).b}}: (json .a).b is not known here; values are .COLUMN",
	} {
		_, _, err := compile("row", text)
		if err == nil || err.Error() != want {
			t.Errorf("%s\ngot  %v\nwant %s", text, err, want)
		}
	}
}

// TestNothingFails: what compiles renders, whatever is in the rows.
func TestNothingFails(t *testing.T) {
	exprs := []string{".", "(text .a)", ".a", ".b", `"x"`, "1", "2.5", "true", "(json .a)", "(unix_ms .a)", "(default .a .b)", "(and .a .b)", "(or .b .a)", "(not .a)", "(fixed .a .b)"}
	calls := []string{"json", "text", "unix", "unix_ms", "unix_ns", "has", "not", "date", "fixed", "default", "eq", "ne", "and", "or"}
	cells := []edged.Value{{}, edged.NullValue(), edged.BoolValue(true), edged.NumberValue(-1e300), edged.TimeValue(at), edged.TimeValue(-1 << 63),
		edged.TextValue(""), edged.TextValue("2025-11-20T10:00:00Z"), edged.TextValue("\xff"), edged.JSONValue("[1]"), edged.BytesValue("\x00")}
	rapid.Check(t, func(rt *rapid.T) {
		expr := rapid.SampledFrom(exprs)
		text := ""
		for range rapid.IntRange(1, 4).Draw(rt, "actions") {
			call := rapid.SampledFrom(calls).Draw(rt, "function")
			for range max(allowed[call], 1) {
				call += " " + expr.Draw(rt, "value")
			}
			text += rapid.SampledFrom([]string{"{{" + call + "}}", "{{if " + call + "}}{{.a}}{{else}}{{.b}}{{end}}", "{{.a | json}}{{(" + call + ")}}"}).Draw(rt, "shape")
		}
		cell := rapid.SampledFrom(cells)
		rows := &edged.Rows{Stream: "s", Names: []string{"a", "b"}, Cells: []edged.Value{cell.Draw(rt, "a"), cell.Draw(rt, "b")}, At: make([]edged.Pos, 1)}
		p, err := (&Config{Row: text}).Compile()
		if err != nil {
			rt.Fatalf("%s: %v", text, err)
		}
		p.Append(nil, rows)
	})
}

func TestCheck(t *testing.T) {
	for text, want := range map[string]string{
		`row = "{{.value}} {{.mean}} {{.stream}}"`: "",
		`separator = ""`:    "f:1: [body] needs row: the template of a row, such as row = '[{{unix_ms .time}},{{json .value}}]'",
		`row = "{{.vlaue}"`: "f:2: body.row: line 1: bad character U+007D '}'",
		"row = \"x\"\nprefix = \"{{.value}}\"\nsuffix = \"{{\"": "f:3: body.prefix: there is no .value outside of a row: only .stream and .rows, their number\n" +
			"f:4: body.suffix: line 1: unclosed action",
		"row = \"{{json .}}\"\nprefix = \"{{json .}}\"": "f:3: body.prefix: there is no ., the whole row, outside of a row: only .stream and .rows, their number",
		`row = 3`: "f:2: row: want a string, have the number 3",
	} {
		d := conf.Parse("f", []byte("[body]\n"+text))
		table := d.Root().Sub("body")
		c := Default()
		table.Bind(&c)
		c.Check(table)
		got := ""
		for _, p := range d.Problems() {
			got += p.String() + "\n"
		}
		if strings.TrimSpace(got) != want {
			t.Errorf("%s\ngot  %s\nwant %s", text, got, want)
		}
	}
	for text, want := range map[string][]string{"{{.a}} {{json .}} {{.stream}} {{if has .b}}{{json .a}}{{end}}": {"a", "b", "a"}, "{{.a}} {{": nil} {
		if got := (&Config{Row: text}).Columns(); !slices.Equal(got, want) {
			t.Errorf("%s names %q, want %q", text, got, want)
		}
	}
}

func TestEncodingNamesEveryByte(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range []Config{{}, {Row: "a"}, {Row: "a", Separator: "b"}, {Row: "a", Prefix: "b"}, {Row: "a", Suffix: "b"}, {Row: `a" "b`}} {
		if seen[c.Encoding()] {
			t.Errorf("%+v has the encoding of another", c)
		}
		seen[c.Encoding()] = true
	}
}
