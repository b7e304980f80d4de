package batches

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"edged"
	"edged/batches/decode"
	"edged/internal/conf"

	"pgregory.net/rapid"
)

// load loads one stream, and gives what is wrong with it.
func load(text string) (*Plan, []string) {
	doc := conf.Parse("f", []byte("[stream.s]\nfrom = [\"a\"]\ntopics = [\"site/#\"]\nsinks = [\"x\"]\n"+text))
	_, p := LoadStream(doc.Root().Sub("stream").Sub("s"), nil, false)
	var wrong []string
	for _, pr := range doc.Problems() {
		wrong = append(wrong, pr.String())
	}
	return p, wrong
}

func TestMistakesOfDecoders(t *testing.T) {
	for text, want := range map[string]string{
		"columns = { value = \"float\" }\nwhere = \"vlaue > 3\"":                     `f:6: stream s, where: there is no column "vlaue": the stream declares only the column "value"; add it to columns`,
		"columns = { value = \"float °C\", on = \"bool\" }\nwhere = 'value > \"x\"'": `f:6: stream s, where: invalid operation: > (mismatched types float64 and string) (at character 7)`,
		"columns = { value = \"float\", on = \"bool\" }\nwhere = 'on > 3'":           `f:6: stream s, where: invalid operation: > (mismatched types bool and int) (at character 4)`,
		"columns = { value = \"flaot\" }":                                            `f:5: stream s, columns.value: want "float", "int", "bool", "text", "time" or "any", have "flaot"; did you mean "float"?`,
		"columns = { value = \"time min\" }":                                         `f:5: stream s, columns.value: the unit of a time is s, ms, us or ns, as in "time ms", have "min"`,
		"columns = { value = \"float\" }\ntime = \"ts\"":                             `f:6: stream s, time: there is no column "ts": the stream declares only the column "value"; add it to columns`,
		"decode = \"number\"\ncolumns = { value = \"text\" }":                        `f:6: stream s, columns.value: the decoder never gives a value that can be one of type text`,
		"decode = \"number\"\ncolumns = { a = \"float\" }":                           `f:6: stream s, columns.a: there is no column "a": payloads of this kind have only the column "value"`,
		"decode = \"influx\"\nwhere = \"timestamp > 3\"":                             `f:6: stream s, where: invalid operation: > (mismatched types time.Time and int) (at character 11)`,
		"decode = \"senml\"\nwhere = \"val > 3\"":                                    `f:6: stream s, where: there is no column "val": payloads of this kind have only name, value, unit, time, sum, update`,
		"decode = \"csv\"\nwhere = \"a > 3\"":                                        `f:6: stream s, where: there is no column "a": payloads of this kind have no columns; name them, as in csv = { columns = ["time", "value"] }, or say csv = { header = true }`,
		"decode = \"csv\"\ncsv = { columns = [\"a\"], delimiter = \"::\" }":          `f:6: stream s, csv.delimiter: want one ASCII character that is no quote and no line break, such as ";" or "\t", have "::"`,
		"decode = \"csv\"\ncsv = { columns = [\"a\"], delimeter = \";\" }":           `f:6: unknown key "delimeter" in [stream.s.csv]; did you mean "delimiter"?`,
		"decode = \"json\"\ncsv = { header = true }":                                 `f:6: csv is for decode = "csv"; this stream has decode = "json"`,
		"decode = \"influx\"\ninflux = { precision = \"min\" }":                      `f:6: stream s, influx.precision: want s, ms, us or ns, have "min"`,
		"decode = \"kv\"\nwhere = \"a.b > 3\"":                                       `f:6: stream s, where: there is no column "a.b": payloads of this kind have no columns within columns`,
	} {
		if _, wrong := load(text); len(wrong) != 1 || wrong[0] != want {
			t.Errorf("%s\n got  %s\n want %s", text, strings.Join(wrong, "\n      "), want)
		}
	}
	for _, text := range []string{
		"decode = \"csv\"\ncsv = { columns = [\"time\", \"value\"], delimiter = \"\\t\", comment = \"#\" }\nwhere = \"value > 3\"\ntime = \"time\"",
		"decode = \"csv\"\ncsv = { header = true }\nselect = { v = \"anything\" }", "decode = \"csv\"", "decode = \"senml\"\ntime = \"time\"\nwhere = \"value > 3\"",
		"decode = \"influx\"\ntime = \"timestamp\"\nselect = { m = \"measurement\", load = 'payload[\"cpu.load\"]' }\ninflux = { precision = \"s\" }",
		"columns = { \"a.b\" = \"int\", list = \"any\", ts = \"time ms\" }\nwhere = \"a.b > 3 && list[0] == 1\"\ntime = \"ts\"",
		"decode = \"kv\"\ncolumns = { \"a.b\" = \"int\" }\nwhere = 'payload[\"a.b\"] > 3'", "decode = \"lines\"\ncolumns = { value = \"float\" }\nwhere = \"value > 3\"",
	} {
		p, wrong := load(text)
		if p == nil {
			t.Errorf("%s\n%s", text, strings.Join(wrong, "\n"))
			continue
		}
		if again, err := CompileDefinition("s", p.Definition); err != nil || again.Definition != p.Definition {
			t.Errorf("%s\n%s: %v", text, p.Definition, err)
		}
	}
}

// A key that a later version brought changes no definition that does not use it.
func TestDefinitionsWithoutOptionsAreWhatTheyWere(t *testing.T) {
	p, _ := load(`decode = "number"`)
	if want := `{"decode":"number","from":["a"],"topics":["site/#"]}`; p.Definition != want {
		t.Errorf("%s, want %s", p.Definition, want)
	}
}

func TestDeclaredColumns(t *testing.T) {
	null, num, is := edged.NullValue(), edged.NumberValue, edged.BoolValue
	at := time.Date(2026, 11, 20, 10, 0, 0, 5e8, time.UTC)
	for _, c := range []struct {
		typ, payload string
		want         edged.Value
		wrong        uint64
	}{
		{"float", `21.5`, num(21.5), 0}, {"float", `"21.5"`, num(21.5), 0}, {"float", `" -1e3 "`, num(-1000), 0}, {"float", `"warm"`, null, 1}, {"float", `true`, null, 1},
		{"float", `"nan"`, null, 0}, {"float", `""`, null, 0}, {"float", `null`, null, 0}, {"float", `[1]`, null, 1}, {"float", `"true"`, null, 1}, {"float s", `5`, num(5), 0},
		{"int", `3.0`, num(3), 0}, {"int", `"3"`, num(3), 0}, {"int", `3.5`, null, 1}, {"int", `"3.5"`, null, 1}, {"int", `9007199254740992`, num(1 << 53), 0}, {"int", `9007199254740994`, null, 1},
		{"bool", `true`, is(true), 0}, {"bool", `1`, is(true), 0}, {"bool", `0`, is(false), 0}, {"bool", `"false"`, is(false), 0}, {"bool", `"1"`, is(true), 0}, {"bool", `2`, null, 1}, {"bool", `"on"`, null, 1},
		{"text", `"on"`, edged.TextValue("on"), 0}, {"text", `""`, edged.TextValue(""), 0}, {"text", `5`, null, 1},
		{"time", `"2026-11-20T11:00:00.5+01:00"`, edged.TimeValue(at.UnixNano()), 0}, {"time", `"today"`, null, 1}, {"time", `5`, null, 1}, {"time", `"0001-01-01T00:00:00Z"`, null, 1},
		{"time ms", fmt.Sprint(at.UnixMilli()), edged.TimeValue(at.UnixNano()), 0}, {"time s", `"1763632800.5"`, edged.TimeValue(1763632800_5e8), 0}, {"time s", `1e300`, null, 1},
		{"any", `[1]`, edged.JSONValue("[1]"), 0}, {"any", `"x"`, edged.TextValue("x"), 0},
	} {
		p, wrong := load(fmt.Sprintf("columns = { value = %q }\nselect = { v = \"value\" }", c.typ))
		if p == nil {
			t.Fatal(wrong)
		}
		r := newRowReader(p)
		r.dec.Decode([]byte(`{"value":`+c.payload+`}`), r.row.Cols)
		got := uint64(0)
		for _, e := range r.typeErrors() {
			got += e.Values
			if name, _, _ := strings.Cut(c.typ, " "); !e.Declared || e.Type != name || e.Last == "" {
				t.Errorf("%s of %s: %+v", c.typ, c.payload, e)
			}
		}
		if r.row.Cols[0] != c.want || got != c.wrong {
			t.Errorf("%s of %s: %+v, %d counted; want %+v, %d", c.typ, c.payload, r.row.Cols[0], got, c.want, c.wrong)
		}
		if r.dec.Decode([]byte(`{}`), r.row.Cols); r.row.Cols[0] != (edged.Value{}) {
			t.Errorf("%s: a column that is not there is %+v", c.typ, r.row.Cols[0])
		}
	}
}

// A declared column is of its type or missing, whatever comes; and what is of its type stays as it is.
func TestDeclaredColumnsHoldTheirType(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		typ := rapid.SampledFrom([]string{"float", "int", "bool", "text", "time", "time ms"}).Draw(t, "type")
		p, _ := load(fmt.Sprintf("columns = { value = %q }\nselect = { v = \"value\" }", typ))
		r := newRowReader(p)
		f := rapid.OneOf(rapid.Float64(), rapid.Map(rapid.Int64(), func(i int64) float64 { return float64(i) }), rapid.SampledFrom([]float64{0, 1, 1e300})).Draw(t, "number")
		payload := rapid.SampledFrom([]string{fmt.Sprint(f), fmt.Sprintf("%q", fmt.Sprint(f)), "true", `"2026-11-20T10:00:00Z"`, `"x"`, "[1]", "null"}).Draw(t, "payload")
		if _, err := r.dec.Decode([]byte(`{"value":`+payload+`}`), r.row.Cols); err != nil {
			t.Skip(payload)
		}
		v := r.row.Cols[0]
		kind, _, _ := strings.Cut(typ, " ")
		if want := (&Column{Type: kind}).kind().kind; !v.Missing() && v.Kind() != want {
			t.Fatalf("%s of %s is %+v", typ, payload, v)
		}
		if n, ok := v.Float(); ok && n != f {
			t.Fatalf("%s of %s is %v", typ, payload, n)
		}
	})
}

func TestTextColumnsOfCSVKeepTheirText(t *testing.T) {
	p, wrong := load("decode = \"csv\"\ncsv = { columns = [\"id\", \"n\"] }\ncolumns = { id = \"text\", n = \"int\" }\nselect = { a = \"id\", b = \"n\" }")
	if p == nil {
		t.Fatal(wrong)
	}
	r := newRowReader(p)
	if _, err := r.dec.Decode([]byte("007,007"), r.row.Cols); err != nil || r.row.Cols[0] != edged.TextValue("007") || r.row.Cols[1] != edged.NumberValue(7) {
		t.Error(r.row.Cols, err)
	}
	if want := []Column{{"id", "text", ""}, {"n", "int", ""}}; !slices.Equal(p.Columns(), want) {
		t.Error(p.Columns())
	}
}

func TestLookingAtTypesDoesNotAllocate(t *testing.T) {
	for _, config := range []string{
		"decode = \"kv\"\ncolumns = { a = \"int\", b = \"float V\", c = \"bool\" }\nwhere = \"a > b && c\"",
		"decode = \"kv\"\nwhere = \"a > b && c\"",
	} {
		p, wrong := load(config)
		if p == nil {
			t.Fatal(wrong)
		}
		r, payload := newRowReader(p), []byte("a=3 b=\"2.5\" c=1\na=4 b=2 c=true")
		if n := testing.AllocsPerRun(100, func() {
			r.dec.Decode(payload, r.row.Cols)
			r.dec.Next(payload, r.row.Cols)
		}); n > 0 || r.row.Cols[0] != edged.NumberValue(4) {
			t.Errorf("%s: %v allocations a payload, %v", config, n, r.row.Cols)
		}
	}
}

// Without a declaration nothing is converted; a type other than that of the first value is counted, and said once.
func TestInferredTypes(t *testing.T) {
	c := pinsConfig()
	p := mustPlan(t, c)
	s := newStream(c, p, newMemStore(p))
	log := &lines{}
	s.o.Log = slog.New(slog.NewTextHandler(log, nil))
	s.r = newRowReader(p)
	for _, payload := range []string{`{"kind":"x"}`, `{"value":1}`, `{"value":null}`, `{}`, `{"value":"2"}`, `{"value":3}`, `{"value":[4]}`, `not json`} {
		s.r.dec.Decode([]byte(payload), s.r.row.Cols)
		s.sayTypes()
	}
	if want := []TypeErrors{{"value", "float", false, "object or array", 2}}; !slices.Equal(s.r.typeErrors(), want) {
		t.Errorf("%v, want %v", s.r.typeErrors(), want)
	}
	if n := strings.Count(log.String(), "column=value"); n != 1 {
		t.Errorf("it was said %d times:\n%s", n, log)
	}
	if p, _ := load(`decode = "number"` + "\nwhere = \"value > 3\""); newRowReader(p).typeErrors() != nil {
		t.Error("a column that has one type only is not looked at")
	}
}

type lines struct{ strings.Builder }

// The time of a row can come from the line's timestamp, from a SenML record, whose relative times count from the arrival, and from a declared time.
func TestTimesOfDecoders(t *testing.T) {
	for _, c := range []struct{ config, payload, want string }{
		{"decode = \"influx\"\ntime = \"timestamp\"", "m a=1 1000000000000000005", "1000000000000000005"},
		{"decode = \"senml\"\ntime = \"time\"", `[{"n":"a","v":1,"t":1000000000.5}]`, "1000000000500000000"},
		{"decode = \"senml\"\ntime = \"time\"", `[{"n":"a","v":1,"t":-10}]`, "999999990000000000"},
		{"columns = { ts = \"time ms\" }\ntime = \"ts\"", `{"ts":1000000000123}`, "1000000000123000000"},
		{"columns = { ts = \"time\" }\ntime = \"ts\"", `{"ts":"2001-09-09T01:46:40Z"}`, "1000000000000000000"},
		{"columns = { ts = \"time\" }\ntime = \"ts\"", `{"ts":"x"}`, "the time field ts is missing or no time"},
		{"decode = \"influx\"", "m a=1\nm a", "not influx: line 2: at character 3: want field=value"},
	} {
		p, wrong := load(c.config)
		if p == nil {
			t.Fatal(wrong)
		}
		r := newRowReader(p)
		b := blockOf("a", edged.Instant{Wall: 1_000_000_000 * sec}, msg{"site/1", c.payload, 1_000_000_000 * sec})
		got := ""
		switch r.begin(b, 0) {
		case good:
			got = fmt.Sprint(r.row.Time)
		case dead:
			got = r.reason
		}
		if got != c.want {
			t.Errorf("%s of %s: %s, want %s", c.config, c.payload, got, c.want)
		}
	}
}

// Every decoder's name, options and kind go together.
func TestDecodersList(t *testing.T) {
	c := DefaultStream()
	for name, o := range c.tables() {
		_, ok := Decoders.Find(name)
		if _, wrong := o.Kind(); !ok || len(wrong) > 0 {
			t.Errorf("%s: the options of no decoder, or its defaults are wrong: %v", name, wrong)
		}
	}
	for _, k := range Decoders {
		if kind := k.New(); kind.New == nil || kind.PayloadName == "" || kind.Open == decode.Closed && len(kind.Columns) == 0 && k.Name != "raw" && k.Name != "csv" {
			t.Errorf("%s: %+v", k.Name, kind)
		}
	}
}
