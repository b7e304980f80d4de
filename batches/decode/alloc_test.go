package decode

import (
	"strings"
	"testing"

	"edged"
)

// sample is a payload as sensors send it, of each kind, with the columns that a stream would read.
type sample struct {
	name, payload string
	kind          Kind
	paths         [][]string
	free          bool // reading it allocates nothing
}

func samples() []sample {
	header, _ := (&CSVOptions{Header: true, Delimiter: ","}).Kind()
	named, _ := (&CSVOptions{Columns: []string{"time", "value", "pin"}, Delimiter: ";"}).Kind()
	columns := [][]string{{"value"}, {"pin"}}
	return []sample{
		{"json", `{"pin":1,"value":23.5,"ts":1731970000123,"seq":123,"conn":4}`, JSON, columns, true},
		{"number", "23.5", Number, [][]string{{"value"}}, true},
		{"text", "on", Text, [][]string{{"value"}}, true},
		{"lines", "first line\nsecond line\n", Lines, [][]string{{"value"}}, true},
		{"csv", "1731970000123;23.5;1\n1731970000223;24.5;2\n", named, columns, true},
		{"csv with header", "time,value,pin\n1731970000123,23.5,1\n", header, columns, true},
		{"kv", "pin=1 value=23.5 ts=1731970000123 seq=123i ok=true\n", KV, columns, true},
		{"influx", "gpio,room=hall value=23.5,pin=1i,seq=123u 1731970000123000000\n", Influx, append([][]string{{"timestamp"}}, columns...), true},
		{"senml", `[{"bn":"urn:dev:ow:10e2073a0108006:","bt":1731970000.25,"bu":"A","n":"voltage","u":"V","v":120.1},{"n":"current","t":-5,"v":1.2}]`, SenML, [][]string{{"value"}, {"time"}}, true},
		{"senml_cbor", "\x82\xa3\x00\x61a\x02\x18\x15\x06\x1a\x67\x3b\xa0\xe0\xa2\x00\x61b\x02\xf9\x4d\x60", SenMLCBOR, [][]string{{"value"}, {"time"}}, false},
		{"cbor", "\xa3\x63pin\x01\x65value\xf9\x4d\xe0\x62ts\x1b\x00\x00\x01\x93\x41\x7c\x2a\x7b", CBOR, columns, false},
		{"msgpack", "\x83\xa3pin\x01\xa5value\xca\x41\xbc\x00\x00\xa2ts\xcf\x00\x00\x01\x93\x41\x7c\x2a\x7b", MsgPack, columns, false},
	}
}

// all reads every row of a payload.
func all(d Decoder, payload []byte, cols []edged.Value) (rows int, err error) {
	rows, err = d.Decode(payload, cols)
	for i := 1; i < rows; i++ {
		d.Next(payload, cols)
	}
	return rows, err
}

func TestReadingDoesNotAllocate(t *testing.T) {
	for _, s := range samples() {
		d, cols, payload := s.kind.New(s.paths), make([]edged.Value, len(s.paths)), []byte(s.payload)
		if d, ok := d.(Dated); ok {
			d.Arrived(arrival)
		}
		if _, err := all(d, payload, cols); err != nil || cols[0].Missing() {
			t.Errorf("%s: %v, %v", s.name, cols, err)
		}
		if n := testing.AllocsPerRun(100, func() { all(d, payload, cols) }); n > 0 && s.free {
			t.Errorf("%s: %v allocations a payload", s.name, n)
		}
	}
}

// Payloads of known shapes cost no memory; where there is no end of new shapes, what is learnt in vain takes some now and then.
func TestReadingByShapesDoesNotAllocate(t *testing.T) {
	for sorts, most := range map[int]float64{1: 0, 3: 0, maxShapes: 0, 1000: 0.1} {
		d, cols, payloads := JSON.New([][]string{{"value"}, {"unit"}}), make([]edged.Value, 2), readings(sorts)
		n := testing.AllocsPerRun(5, func() {
			for _, p := range payloads {
				if _, err := d.Decode(p, cols); err != nil || cols[0].Missing() {
					t.Fatal(err, cols)
				}
			}
		}) / float64(len(payloads))
		if n > most {
			t.Errorf("%d sorts of payloads: %v allocations a payload", sorts, n)
		}
	}
}

func BenchmarkDecoders(b *testing.B) {
	for _, s := range samples() {
		b.Run(strings.ReplaceAll(s.name, " ", "_"), func(b *testing.B) {
			d, cols, payload := s.kind.New(s.paths), make([]edged.Value, len(s.paths)), []byte(s.payload)
			if d, ok := d.(Dated); ok {
				d.Arrived(arrival)
			}
			rows := 0
			for b.Loop() {
				rows, _ = all(d, payload, cols)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(rows), "ns/row")
		})
	}
}

// Reading takes time with the length of a payload, not with its square, and memory that is let go.
func TestLongPayloads(t *testing.T) {
	const n = 60_000
	for name, c := range map[string]struct {
		k       Kind
		payload string
	}{
		"lines": {Lines, strings.Repeat("x\n", n)}, "kv": {KV, strings.Repeat("a=1 ", n)}, "kv escapes": {KV, `a="` + strings.Repeat(`\"`, n) + `"`},
		"csv": {csvWith(t, CSVOptions{Header: true}), "a" + strings.Repeat(",", 4000) + "\n" + strings.Repeat(",", 4000)}, "csv quotes": {csvWith(t, CSVOptions{Columns: []string{"a"}}), `"` + strings.Repeat(`""`, n) + `"`},
		"influx": {Influx, "m" + strings.Repeat(`\,`, n) + " a=1" + strings.Repeat(",b=2", n)},
		"json":   {JSON, `{"a":"` + strings.Repeat(`\n`, n) + `"}`}, "json fields": {JSON, `{"a":1` + strings.Repeat(`,"b":2`, n) + `}`},
		"senml": {SenML, `[{"bn":"` + strings.Repeat("x", n) + `"}` + strings.Repeat(`,{"n":"y","v":1}`, 1000) + `]`},
	} {
		cols := make([]edged.Value, 1)
		d := c.k.New([][]string{{c.k.anyColumn()}})
		if d, ok := d.(Dated); ok {
			d.Arrived(arrival)
		}
		rows, err := all(d, []byte(c.payload), cols)
		if err != nil || rows == 0 {
			t.Errorf("%s: %d rows, %v", name, rows, err)
		}
		all(d, []byte("\n"), cols)
		if n := held(d); n > largePayload {
			t.Errorf("%s: it still holds %d bytes", name, n)
		}
	}
}

// held is what a decoder keeps of texts.
func held(d Decoder) int {
	switch d := d.(type) {
	case *jsonDecoder:
		return cap(d.scan.texts) + shapesMemory(&d.shapes)
	case *kvDecoder:
		return cap(d.texts)
	case *csvDecoder:
		return cap(d.texts)
	case *influxDecoder:
		return cap(d.texts)
	case *senmlDecoder:
		return cap(d.texts) + cap(d.records)
	}
	return 0
}

func (k *Kind) anyColumn() string {
	if len(k.Columns) > 0 {
		return k.Columns[0].Name
	}
	return "a"
}
