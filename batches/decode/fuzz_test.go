package decode

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"edged"
)

// fuzzed are all kinds, with options of every sort, by the columns that some of the seeds have.
func fuzzed() map[string]Decoder {
	paths := [][]string{{"value"}, {"a"}, nil, {"b"}, {"measurement"}, {"timestamp"}, {"name"}, {"unit"}, {"time"}}
	nested := append([][]string{{"value", "a"}, {"a", "b"}, {"value", "a", "0"}, {"1"}}, paths...)
	header, _ := (&CSVOptions{Header: true, Delimiter: ",", Comment: "#"}).Kind()
	named, _ := (&CSVOptions{Columns: []string{"a", "", "b"}, Delimiter: ";"}).Kind()
	tabs, _ := (&CSVOptions{Delimiter: "\t", Header: true, Columns: []string{"a", "b"}}).Kind()
	seconds, _ := (&InfluxOptions{Precision: "s"}).Kind()
	out := map[string]Decoder{}
	for name, k := range map[string]Kind{
		"json": JSON, "cbor": CBOR, "msgpack": MsgPack, "number": Number, "text": Text, "raw": Raw, "lines": Lines, "kv": KV, "influx": Influx, "influx s": seconds,
		"csv": CSV, "csv header": header, "csv named": named, "csv tabs": tabs, "senml": SenML, "senml_cbor": SenMLCBOR,
	} {
		if k.Open == Nested {
			out[name] = k.New(nested)
		} else {
			out[name] = k.New(paths)
		}
		if d, ok := out[name].(Dated); ok {
			d.Arrived(arrival)
		}
	}
	return out
}

// No payload makes a decoder panic or takes long; whatever is accepted can be shown, row by row, and is shown the same the next time.
func FuzzDecoders(f *testing.F) {
	for _, s := range []string{
		"21.5", " -1e999 ", "nan", "+Inf", "0x10", "1e", "--1", "text\x00", "\xff", "", `{"value":{"a":[1,"\ud800"]}}`, `"\u0000"`, "[[[[1]]]]",
		"a=1 b=\"x\\\"\\n\";value=true\nb=2", "a,b\n1,\"two\n\"\"lines\"\"\"\n# x\n,\n", "1;;2\r\n3;4;\"\"\r\n", "\ufeffa\tb\n1\t2", "\n\r\n \t\n",
		"m\\,x,a=b\\ c,b=\\\\ value=5i,b=\"x\\\"\n\\\\\",a=t -5\n# c\nm a=1e999", "m a=0,b=9223372036854775807i,value=18446744073709551615u 99999999999",
		`[{"bn":"x:","bt":1.6e9,"bver":10,"bv":1,"bs":2,"bu":"W","n":"y","t":-1e-7,"s":1,"ut":2},{"vs":"\u0000é"},{"vb":false},{"vd":"AP-_"},{"n":"z","v":1e999}]`,
		`[{"n":"a","t":268435455,"v":1},{"n":"a","t":268435456,"v":1},{"n":"a","t":-1e10,"v":1}]`,
		"\x82\xa3\x21\x61a\x22\x1a\x67\x3b\xa0\xe0\x02\xf9\x7e\x00\xa2\x00\x61b\x08\x42\x00\xff", "\xa1\x65value\xa1\x61a\x82\xc1\xfb\x7f\xf8\x00\x00\x00\x00\x00\x00\xc4\x82\x1b\x7f\xff\xff\xff\xff\xff\xff\xff\x01",
		"\xd9\xd9\xf7\xbf\x01\x9f\xc2\x41\xff\xf7\xff\xff", "\x82\xa5value\x81\xa1a\x92\xc7\x0c\xff\x00\x00\x00\x01\x80\x00\x00\x00\x00\x00\x00\x00\xd6\xff\xff\xff\xff\xff\x01\xc4\x01\xff",
	} {
		f.Add(s)
	}
	decoders, again := fuzzed(), fuzzed()
	cols, others := make([]edged.Value, 13), make([]edged.Value, 13)
	f.Fuzz(func(t *testing.T, s string) {
		began := time.Now()
		for name, d := range decoders {
			payload, same := []byte(s), again[name]
			rows, err := d.Decode(payload, cols)
			if n, err2 := same.Decode(payload, others); n != rows || (err == nil) != (err2 == nil) || err != nil && err.Error() != err2.Error() {
				t.Fatalf("%s: %q gives %d rows, then %d; %v, then %v", name, s, rows, n, err, err2)
			}
			if err != nil && (rows != 0 || len(err.Error()) > 300) {
				t.Fatalf("%s: %d rows and the error %v", name, rows, err)
			}
			for i := range rows {
				if i > 0 {
					d.Next(payload, cols)
					same.Next(payload, others)
				}
				shown := d.Payload(payload)
				checkShown(t, name, shown)
				for i, v := range cols {
					checkShown(t, name, v)
					if v != others[i] {
						t.Fatalf("%s: %q is read as %+v, then as %+v", name, s, v, others[i])
					}
				}
			}
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Fatalf("%v for %d bytes", took, len(s))
		}
	})
}

// checkShown holds a value against what its kind promises.
func checkShown(t *testing.T, name string, v edged.Value) {
	switch v.Kind() {
	case edged.JSON:
		if !json.Valid([]byte(v.Str())) || strings.ContainsAny(v.Str(), "\r\n") {
			t.Fatalf("%s gives %q, which is not one line of JSON", name, v.Str())
		}
	case edged.Text:
		if !utf8.ValidString(v.Str()) {
			t.Fatalf("%s gives %q, which is no text", name, v.Str())
		}
	}
}
