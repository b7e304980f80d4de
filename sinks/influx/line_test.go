package influx

import (
	"math"
	"reflect"
	"strings"
	"testing"

	"edged"
)

// body encodes rows with a config.
func body(t testing.TB, c *Config, rows *edged.Rows) (text string, empty int) {
	t.Helper()
	s := sink{config: c}
	empty, err := s.encode(rows)
	if err != nil {
		t.Fatal(err)
	}
	return string(s.body), empty
}

func rowsOf(names []string, cells ...edged.Value) *edged.Rows {
	return &edged.Rows{Stream: "pins", Names: names, Cells: cells, At: make([]edged.Pos, len(cells)/len(names))}
}

func TestLines(t *testing.T) {
	c := Default()
	c.keys = map[string][]string{"pins": {"pin", "device"}}
	at := edged.TimeValue(1763632800_123456789)
	rows := rowsOf([]string{"window_start", "window_end", "device", "pin", "n", "ok", "text", "json", "partial"},
		at, edged.TimeValue(1763632810_000000000), edged.TextValue("pump, 1=a"), edged.NumberValue(3), edged.NumberValue(10), edged.BoolValue(true),
		edged.TextValue("say \"hi\"\n\\"), edged.JSONValue(`{"a":1}`), edged.Value{},
		at, edged.NullValue(), edged.NullValue(), edged.TextValue(""), edged.JSONValue("2.50"), edged.JSONValue("false"), edged.JSONValue(`"é"`), edged.JSONValue("null"), edged.BoolValue(true))
	text, empty := body(t, c, rows)
	want := `pins,device=pump\,\ 1\=a,pin=3 window_end="2025-11-20T10:00:10Z",n=10,ok=true,text="say \"hi\"` + "\n" + `\\",json="{\"a\":1}" 1763632800123456789
pins n=2.5,ok=false,text="é",partial=true 1763632800123456789
`
	if text != want || empty != 0 {
		t.Errorf("got\n%s\nwant\n%s", text, want)
	}
	for precision, stamp := range map[string]string{"us": "1763632800123456", "ms": "1763632800123", "s": "1763632800"} {
		c.Precision = precision
		if text, _ := body(t, c, rows); strings.Count(text, " "+stamp+"\n") != 2 {
			t.Errorf("%s: %s", precision, text)
		}
	}
}

func TestTheTimestamp(t *testing.T) {
	for _, x := range []struct{ time, want string }{{"window_start", "1"}, {"window_end", "2"}} {
		c := Default()
		c.Time, c.keys = x.time, map[string][]string{"pins": nil}
		text, _ := body(t, c, rowsOf([]string{"window_start", "window_end", "n"}, edged.TimeValue(1), edged.TimeValue(2), edged.NumberValue(0)))
		if !strings.HasSuffix(text, " "+x.want+"\n") {
			t.Errorf("%s: %s", x.time, text)
		}
		text, _ = body(t, c, rowsOf([]string{"time", "n"}, edged.TimeValue(3), edged.NumberValue(0)))
		if text != "pins n=0 3\n" {
			t.Errorf("without a window: %s", text)
		}
	}
	for ns, want := range map[int64]int64{-1: -1, -1e9: -1, -1e9 - 1: -2, 0: 0, 999999999: 0, 1e9: 1} {
		if got := floor(ns, 1e9); got != want {
			t.Errorf("%d ns are %d s, want %d", ns, got, want)
		}
	}
	s := sink{config: Default()}
	for _, rows := range []*edged.Rows{rowsOf([]string{"n"}, edged.NumberValue(1)), rowsOf([]string{"time", "n"}, edged.NullValue(), edged.NumberValue(1))} {
		if _, err := s.encode(rows); edged.ClassOf(err) != edged.Poison {
			t.Errorf("a row without a time: %v", err)
		}
	}
}

func TestARowWithoutAFieldIsLeftOut(t *testing.T) {
	c := Default()
	text, empty := body(t, c, rowsOf([]string{"time", "topic", "payload"}, edged.TimeValue(1), edged.TextValue("a/b"), edged.NullValue(),
		edged.TimeValue(2), edged.TextValue("a/b"), edged.JSONValue("7")))
	if text != "pins,topic=a/b payload=7 2\n" || empty != 1 {
		t.Errorf("%q, %d left out", text, empty)
	}
}

func TestTheMeasurement(t *testing.T) {
	for text, want := range map[string]string{
		"{stream}": "pins", "{stream} of {device}": `pins\ of\ a\,b=c`, "#{stream}": "_pins", "{nosuch}": "null", "a\\": "a_", "x\ny": `x\ y`,
	} {
		c := Default()
		c.Measurement, c.Tags = text, []string{}
		got, _ := body(t, c, rowsOf([]string{"time", "device"}, edged.TimeValue(1), edged.TextValue("a,b=c")))
		if want += " device=\"a,b=c\" 1\n"; got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// FuzzLine: whatever the values are, the lines are read back as the same values, by a parser that knows nothing of the writer.
func FuzzLine(f *testing.F) {
	f.Add("pins", "device", "a b", "text", 2.5, true, int64(1))
	f.Add("#", "a=b,c d", `back\slash\`, "quote\" \\ \n", math.MaxFloat64, false, int64(math.MinInt64))
	f.Add(`\\`, "é\xff", "a\r\n,", "", 5e-324, true, int64(math.MaxInt64))
	f.Fuzz(func(t *testing.T, measurement, key, tag, text string, number float64, truth bool, ns int64) {
		if strings.ContainsAny(measurement, "{}") || key == "" || measurement == "" {
			return
		}
		c := Default()
		c.Measurement, c.Tags = measurement, []string{key, "zz"}
		names := []string{"time", key, "zz", "text", "number", "truth"}
		for i, a := range names {
			for j, b := range names[:i] {
				if said(a, inKey) == said(b, inKey) && i != j {
					return // the same name twice: no stream has such columns
				}
			}
		}
		got, _ := body(t, c, rowsOf(names, edged.TimeValue(ns), edged.TextValue(tag), edged.TextValue("z"), edged.TextValue(text), edged.NumberValue(number), edged.BoolValue(truth)))
		points, err := parseAll(got)
		if err != nil {
			t.Fatal(err)
		}
		want := point{said(measurement, inMeasurement), map[string]string{"zz": "z"}, map[string]any{"text": valid(text), "truth": truth}, ns}
		if want.measurement[0] == '#' {
			want.measurement = "_" + want.measurement[1:]
		}
		if tag != "" {
			want.tags[said(key, inKey)] = said(tag, inKey)
		}
		if !math.IsNaN(number) && !math.IsInf(number, 0) {
			want.fields["number"] = number + 0
		}
		if len(points) != 1 || !reflect.DeepEqual(points[0], want) {
			t.Fatalf("%q\nis read as %+v\nwant       %+v", got, points, want)
		}
	})
}

// said is what the protocol can say of a name: see appendEscaped, whose words this repeats with other means.
func said(s, special string) string {
	r := []rune(valid(s))
	for i := range r {
		switch {
		case r[i] == '\n' || r[i] == '\r':
			r[i] = ' '
		case r[i] == '\\' && (i == len(r)-1 || strings.ContainsRune("\\,= \"\n\r", r[i+1])):
			r[i] = '_'
		}
	}
	return string(r)
}

func valid(s string) string {
	var b strings.Builder
	for _, r := range s { // a byte that is not UTF-8 is one U+FFFD
		b.WriteRune(r)
	}
	return b.String()
}
