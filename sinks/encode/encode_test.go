package encode

import (
	"bytes"
	"encoding/base64"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"edged"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var pins = &edged.Rows{
	Stream: "pins",
	Names:  []string{"window_start", "device", "n", "mean", "max", "raw", "payload", "ok"},
	Cells: []edged.Value{
		edged.TimeValue(time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC).UnixNano()), edged.TextValue("1"),
		edged.NumberValue(10), edged.NumberValue(23.5), edged.NumberValue(1e21), edged.BytesValue("\x00\xff"),
		edged.JSONValue(`{"a":[1,2]}`), edged.BoolValue(true),

		edged.TimeValue(time.Date(2026, 11, 20, 10, 0, 0, 120, time.UTC).UnixNano()), edged.TextValue(`a "b", c`),
		{}, edged.NullValue(), edged.NumberValue(-1e-7), edged.BytesValue(""),
		edged.JSONValue(`"x"`), edged.BoolValue(false),
	},
	At: make([]edged.Pos, 2),
}

func TestNDJSON(t *testing.T) {
	want := `{"stream":"pins","window_start":"2026-11-20T10:00:00Z","device":"1","n":10,"mean":23.5,"max":1e+21,"raw":"AP8=","payload":{"a":[1,2]},"ok":true}
{"stream":"pins","window_start":"2026-11-20T10:00:00.00000012Z","device":"a \"b\", c","mean":null,"max":-1e-7,"raw":"","payload":"x","ok":false}
`
	if got := string(AppendNDJSON([]byte("before\n"), pins)); got != "before\n"+want {
		t.Fatalf("got\n%s\nwant\n%s", got, want)
	}
}

func TestJSONIsTheSameObjectsInOneArray(t *testing.T) {
	lines := strings.Split(strings.TrimSuffix(string(AppendNDJSON(nil, pins)), "\n"), "\n")
	if got, want := string(AppendJSON(nil, pins)), "["+strings.Join(lines, ",")+"]"; got != want {
		t.Fatalf("got %s, want %s", got, want)
	}
	if got := string(AppendJSON(nil, pins.Slice(0, 0))); got != "[]" {
		t.Fatalf("no rows: %s", got)
	}
}

func TestCSV(t *testing.T) {
	want := `stream,window_start,device,n,mean,max,raw,payload,ok
pins,2026-11-20T10:00:00Z,1,10,23.5,1e+21,AP8=,"{""a"":[1,2]}",true
pins,2026-11-20T10:00:00.00000012Z,"a ""b"", c",,,-1e-7,,"""x""",false
`
	if got := string(AppendCSV(AppendCSVHeader(nil, pins.Names), pins)); got != want {
		t.Fatalf("got\n%s\nwant\n%s", got, want)
	}
	if got := string(AppendCSV(nil, one("t", edged.TextValue("")))); got != "s,\"\"\n" {
		t.Fatalf("an empty text is %q", got)
	}
}

func TestNothingIsAllocatedPerRow(t *testing.T) {
	buf := make([]byte, 0, 1<<16)
	for name, encode := range map[string]func([]byte, *edged.Rows) []byte{
		"NDJSON": AppendNDJSON, "JSON": AppendJSON, "CSV": AppendCSV,
	} {
		if n := testing.AllocsPerRun(100, func() { encode(buf, pins) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func TestNamesWiderThanTheScratchRoom(t *testing.T) {
	wide := &edged.Rows{Stream: "s", At: make([]edged.Pos, 1)}
	for i := range 100 {
		wide.Names = append(wide.Names, fmt.Sprintf("column-number-%d", i))
		wide.Cells = append(wide.Cells, edged.NumberValue(float64(i)))
	}
	var got map[string]any
	if err := json.Unmarshal(AppendNDJSON(nil, wide), &got); err != nil {
		t.Fatal(err)
	}
	if len(got) != 101 || got["column-number-99"] != 99.0 {
		t.Fatalf("%d columns: %v", len(got), got)
	}
}

func one(name string, v edged.Value) *edged.Rows {
	return &edged.Rows{Stream: "s", Names: []string{name}, Cells: []edged.Value{v}, At: make([]edged.Pos, 1)}
}

// oracle is what encoding/json writes for a value.
func oracle(t *testing.T, v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// FuzzJSON holds every scalar against encoding/json: the same bytes, and so the same value read back.
func FuzzJSON(f *testing.F) {
	f.Add("plain", "text", 24.0, int64(0))
	f.Add("é\u2028\"", "\x00\x1f\x7f\xff\xc0\x80\n\t\\", 1e21, int64(-1))
	f.Add("", "\xed\xa0\x80\U0001F600<&>\ufffd", 1e-7, int64(1<<62))
	f.Add("n", "\b\f\r", -123456789.125e-20, int64(1763632800123456789))
	f.Fuzz(func(t *testing.T, name, text string, number float64, ns int64) {
		n := edged.NumberValue(number)
		number, isNumber := n.Float()
		wantNumber := "null"
		if isNumber {
			wantNumber = oracle(t, number)
		}
		when := time.Unix(0, ns).UTC()
		rows := &edged.Rows{
			Stream: text, Names: []string{name, "n", "t", "b"}, At: make([]edged.Pos, 1),
			Cells: []edged.Value{edged.TextValue(text), n, edged.TimeValue(ns), edged.BytesValue(text)},
		}
		want := `{"stream":` + oracle(t, text) + `,` + oracle(t, name) + `:` + oracle(t, text) + `,"n":` + wantNumber +
			`,"t":` + oracle(t, when.Format(time.RFC3339Nano)) + `,"b":` + oracle(t, base64.StdEncoding.EncodeToString([]byte(text))) + "}\n"
		got := string(AppendNDJSON(nil, rows))
		if got != want {
			t.Fatalf("got  %s\nwant %s", got, want)
		}
		if !json.Valid([]byte(got)) || strings.Count(got, "\n") != 1 {
			t.Fatalf("not one line of JSON: %q", got)
		}
	})
}

// FuzzCSV reads the record back with encoding/csv, which joins CR LF within a field to LF.
func FuzzCSV(f *testing.F) {
	f.Add("plain", `with "quotes", commas`)
	f.Add(" \n", "\r")
	f.Add("", "")
	f.Fuzz(func(t *testing.T, stream, text string) {
		rows := one("c", edged.TextValue(text))
		rows.Stream = stream
		r := csv.NewReader(bytes.NewReader(AppendCSV(nil, rows)))
		records, err := r.ReadAll()
		if err != nil || len(records) != 1 {
			t.Fatalf("%v %q", err, records)
		}
		join := func(s string) string { return strings.ReplaceAll(s, "\r\n", "\n") }
		if got := records[0]; len(got) != 2 || got[0] != join(stream) || got[1] != join(text) {
			t.Fatalf("wrote %q, %q, read %q", stream, text, got)
		}
	})
}

func BenchmarkNDJSON(b *testing.B) {
	buf := AppendNDJSON(nil, pins)
	b.SetBytes(int64(len(buf)))
	b.ReportAllocs()
	for b.Loop() {
		buf = AppendNDJSON(buf[:0], pins)
	}
}
