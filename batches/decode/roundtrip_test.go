package decode

import (
	"encoding/csv"
	"fmt"
	"strings"
	"testing"

	"edged"

	"pgregory.net/rapid"
)

// What the standard library writes as CSV is read as the same fields.
func TestCSVIsReadAsItWasWritten(t *testing.T) {
	text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[a",; #\r\n0]{0,6}`))
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 4).Draw(t, "fields") // a row of one empty field is a blank line
		want := rapid.SliceOfN(rapid.SliceOfN(text, n, n), 1, 4).Draw(t, "rows")
		o := CSVOptions{Delimiter: rapid.SampledFrom([]string{",", ";", "\t"}).Draw(t, "delimiter")}
		var paths [][]string
		for i := range n {
			o.Columns = append(o.Columns, fmt.Sprint("c", i))
			paths = append(paths, []string{fmt.Sprint("c", i)})
		}
		var b strings.Builder
		w := csv.NewWriter(&b)
		w.Comma, w.UseCRLF = rune(o.Delimiter[0]), false
		if err := w.WriteAll(want); err != nil {
			t.Skip(err)
		}
		k, _ := o.Kind()
		d, cols := k.New(paths), make([]edged.Value, n)
		for i := range n {
			d.(Hinted).KeepText(i)
		}
		if strings.HasPrefix(b.String(), "\ufeff") {
			t.Skip("it is taken for a byte order mark")
		}
		rows, err := d.Decode([]byte(b.String()), cols)
		if err != nil || rows != len(want) {
			t.Fatalf("%q: %d rows, %v; want %d", b.String(), rows, err, len(want))
		}
		for i, row := range want {
			if i > 0 {
				d.Next([]byte(b.String()), cols)
			}
			for j := range row {
				if cols[j] != edged.TextValue(row[j]) {
					t.Fatalf("%q: row %d is %s, want %q", b.String(), i, show(cols), row)
				}
			}
		}
	})
}

// Names and texts with every character that has a meaning are read from line protocol as they were escaped into it.
func TestInfluxNamesAreReadAsTheyWereWritten(t *testing.T) {
	name := rapid.StringMatching(`[a-z][a, ="#é]{0,5}[a-z]`)
	escape := strings.NewReplacer(",", `\,`, " ", `\ `, "=", `\=`)
	rapid.Check(t, func(t *rapid.T) {
		measurement, tag, field := name.Draw(t, "measurement"), name.Draw(t, "tag"), "f"+name.Draw(t, "field")
		value, text := name.Draw(t, "value"), rapid.StringMatching(`[a\\", \n=]{0,6}`).Draw(t, "text")
		if tag == field || tag == influxMeasurement || tag == influxTimestamp {
			t.Skip("two of the names are the same")
		}
		line := fmt.Sprintf("%s,%s=%s %s=\"%s\" 7", strings.NewReplacer(",", `\,`, " ", `\ `).Replace(measurement), escape.Replace(tag), escape.Replace(value),
			escape.Replace(field), strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text))
		d := Influx.New([][]string{{influxMeasurement}, {tag}, {field}, {influxTimestamp}})
		cols := make([]edged.Value, 4)
		want := []edged.Value{edged.TextValue(measurement), edged.TextValue(value), edged.TextValue(text), edged.TimeValue(7)}
		n, err := d.Decode([]byte(line), cols)
		if err != nil || n != 1 || show(cols) != show(want) {
			t.Fatalf("%s: %d rows, %s, %v; want %s", line, n, show(cols), err, show(want))
		}
	})
}

// A text in quotes is read from key=value pairs as it was quoted.
func TestKVTextsAreReadAsTheyWereWritten(t *testing.T) {
	quote := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`, "\t", `\t`)
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.String().Draw(t, "a"), rapid.StringMatching(`[a\\", \n=;\t]{0,6}`).Draw(t, "b")
		line := fmt.Sprintf(`a="%s";b="%s"`, quote.Replace(a), quote.Replace(b))
		d := KV.New([][]string{{"a"}, {"b"}})
		cols := make([]edged.Value, 2)
		if n, err := d.Decode([]byte(line), cols); err != nil || n != 1 || cols[0] != edged.TextValue(a) || cols[1] != edged.TextValue(b) {
			t.Fatalf("%q: %d rows, %s, %v", line, n, show(cols), err)
		}
	})
}
