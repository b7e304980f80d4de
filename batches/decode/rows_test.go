package decode

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"edged"
)

// arrival is when the payloads of tests arrive: a time that is told from 0.
const arrival = int64(1_700_000_000e9)

// read decodes a payload and gives each row as text: its columns, and what it shows.
func read(t *testing.T, k Kind, paths string, payload string) (rows, shown []string, err error) {
	t.Helper()
	var columns [][]string
	for _, p := range strings.Fields(paths) {
		path := strings.Split(p, ".")
		if err := k.Check(path); err != nil {
			t.Fatal(err)
		}
		columns = append(columns, path)
	}
	d := k.New(columns)
	if d, ok := d.(Dated); ok {
		d.Arrived(arrival)
	}
	cols := make([]edged.Value, len(columns))
	n, err := d.Decode([]byte(payload), cols)
	if err != nil {
		return nil, nil, err
	}
	for i := range n {
		if i > 0 {
			d.Next([]byte(payload), cols)
		}
		rows, shown = append(rows, show(cols)), append(shown, d.Payload([]byte(payload)).Str())
	}
	return rows, shown, nil
}

// show writes values so that their types can be told: 1 true 'text' {json} b'bytes' @ns null -.
func show(cols []edged.Value) string {
	var out []string
	for _, v := range cols {
		s := v.Str()
		switch v.Kind() {
		case edged.Absent:
			s = "-"
		case edged.Null:
			s = "null"
		case edged.Bool:
			s = fmt.Sprint(v.Bool())
		case edged.Number:
			f, _ := v.Float()
			s = fmt.Sprint(f)
		case edged.Time:
			s = fmt.Sprintf("@%d", v.Nanos())
		case edged.Text:
			s = "'" + s + "'"
		case edged.Bytes:
			s = fmt.Sprintf("b%q", s)
		}
		out = append(out, s)
	}
	return strings.Join(out, " ")
}

// cases are payloads, with the rows that they give joined by " | ", or the reason that they are refused for after "error: ".
type cases []struct{ payload, want string }

func (cs cases) run(t *testing.T, k Kind, paths string) {
	t.Helper()
	for _, c := range cs {
		rows, _, err := read(t, k, paths, c.payload)
		got := strings.Join(rows, " | ")
		if reason, bad := strings.CutPrefix(c.want, "error: "); bad {
			if err == nil || !strings.Contains(err.Error(), reason) {
				t.Errorf("%.80q: %v, %v; want an error with %q", c.payload, got, err, reason)
			}
			continue
		}
		if err != nil || got != c.want {
			t.Errorf("%.80q:\n have %s (%v)\n want %s", c.payload, got, err, c.want)
		}
	}
}

// A header of many names is refused at once.
func TestLongHeaders(t *testing.T) {
	var b strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&b, "c%d,", i)
	}
	began := time.Now()
	if _, _, err := read(t, csvWith(t, CSVOptions{Header: true}), "a", b.String()); err == nil || !strings.Contains(err.Error(), "4096 columns or more") {
		t.Error(err)
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("it took %v", took)
	}
}

func csvWith(t *testing.T, o CSVOptions) Kind {
	t.Helper()
	if o.Delimiter == "" {
		o.Delimiter = ","
	}
	k, wrong := o.Kind()
	if len(wrong) > 0 {
		t.Fatal(wrong)
	}
	return k
}

func TestLines(t *testing.T) {
	cases{
		{"one", "'one'"},
		{"one\ntwo\n", "'one' | 'two'"},
		{"\n\r\n one \r\n\n2\r\n\r\n", "' one ' | '2'"},
		{"", ""},
		{"\n\n", ""},
		{"a\n\n\xff\n", "error: line 3: not UTF-8"},
		{strings.Repeat("x\n", MaxRows+1), "error: more than 65535 rows"},
	}.run(t, Lines, "value")
	_, shown, _ := read(t, Lines, "", "a\nb")
	if fmt.Sprint(shown) != "[a b]" {
		t.Errorf("shown: %q", shown)
	}
}

func TestKV(t *testing.T) {
	cases{
		{"a=1 b=2", "1 2"},
		{"b=x;a=-2.5e1,c=9\tb=y", "-25 'y'"},
		{`a="1" b="two words, \"quoted\" \\ \n\x"`, "'1' 'two words, \"quoted\" \\ \n\\x'"},
		{"a=true b=FALSE", "true false"},
		{"a=  b=nan", "null null"},
		{"b=x=y=", "- 'x=y='"},
		{"a=1\n\n  \nb=2\r\n", "1 - | - 2"},
		{"a=007 b=0x7", "7 '0x7'"},
		{"a=1 oops", "error: line 1: at character 9: want key=value"},
		{"a=1\n=2", "error: line 2: at character 1: want key=value"},
		{" ;; ", "error: want key=value"},
		{`a="x`, `error: the value of "a": a quote that is not closed`},
		{`a="x"y`, "error: something follows the closing quote"},
		{"a=21,5", "error: want key=value"},
		{"", ""},
	}.run(t, KV, "a b")
}

func TestCSV(t *testing.T) {
	named := csvWith(t, CSVOptions{Columns: []string{"a", "", "b"}})
	cases{
		{"1,2,3", "1 3"},
		{"1,2,3\r\n4,5,x y\r\n", "1 3 | 4 'x y'"},
		{"true, x , 2.5 ", "true 2.5"},
		{`"1","a,b","say ""hi"""`, `'1' 'say "hi"'`},
		{"\"two\nlines\",,\n,,", "'two\nlines' null | null null"},
		{"\ufeff1,,2", "1 2"},
		{"1,2\n", "error: line 1: 2 fields, want 3"},
		{"1,2,3\n1,2,3,4", "error: line 2: 4 fields, want 3"},
		{"\"x\ny\",2,3\n\"1", "error: line 3: field 1: a quote that is not closed"},
		{`1,2,5"`, "error: field 3: a quote within a field without quotes"},
		{`"1"2,3,4`, "error: field 1: something follows the closing quote"},
		{"", ""},
	}.run(t, named, "a b")

	cases{
		{"b;a\n1;2\n# no row\n3;4", "2 1 | 4 3"},
		{"# first\n\n\"a\"; c \n1;2", "1 -"},
		{"a;b", ""},
		{"a;a\n1;2", `error: line 1: the header names "a" twice`},
		{"a;b\n1", "error: line 2: 1 fields, want 2"},
		{strings.Repeat("a;", maxFields), "error: line 1: the header names"},
	}.run(t, csvWith(t, CSVOptions{Header: true, Delimiter: ";", Comment: "#"}), "a b")

	cases{{"time\tvalue\n1\t2\n", "1 2"}}.run(t, csvWith(t, CSVOptions{Header: true, Columns: []string{"a", "b"}, Delimiter: "\t"}), "a b")

	_, shown, err := read(t, CSV, "", "1,\"x\ny\"\n2\n")
	if err != nil || fmt.Sprintf("%q", shown) != `["1,\"x\ny\"" "2"]` {
		t.Errorf("without names: %q, %v", shown, err)
	}
}

// The columns of a header are those of its payload, not of the one before.
func TestHeadersChange(t *testing.T) {
	d := csvWith(t, CSVOptions{Header: true}).New([][]string{{"a"}})
	cols := make([]edged.Value, 1)
	for _, c := range []struct{ payload, want string }{{"a,b\n1,2", "1"}, {"a,b\n3,4", "3"}, {"b,a\n1,2", "2"}, {"a,b,c\n1,2,3", "1"}, {"x\n1", "-"}, {"x,\n", ""}} {
		n, err := d.Decode([]byte(c.payload), cols)
		if err != nil || n > 0 && show(cols) != c.want || n == 0 && c.want != "" {
			t.Errorf("%q: %d rows, %s, %v", c.payload, n, show(cols), err)
		}
	}
}

func TestTextsAreKept(t *testing.T) {
	d := KV.New([][]string{{"a"}, {"b"}})
	d.(Hinted).KeepText(0)
	cols := make([]edged.Value, 2)
	if _, err := d.Decode([]byte("a=007 b=007"), cols); err != nil || show(cols) != "'007' 7" {
		t.Error(show(cols), err)
	}
	d = csvWith(t, CSVOptions{Columns: []string{"a", "b"}}).New([][]string{{"a"}, {"b"}})
	d.(Hinted).KeepText(0)
	if _, err := d.Decode([]byte("true,true"), cols); err != nil || show(cols) != "'true' true" {
		t.Error(show(cols), err)
	}
}

func TestCSVOptions(t *testing.T) {
	for want, o := range map[string]CSVOptions{
		"delimiter": {Delimiter: "::"}, "comment": {Delimiter: ";", Comment: ";x"}, "columns": {Delimiter: ",", Columns: []string{"a", "a"}},
	} {
		if _, wrong := o.Kind(); len(wrong) != 1 || wrong[0].Key != want {
			t.Errorf("%+v: %v", o, wrong)
		}
	}
	for _, c := range []struct {
		k          Kind
		path, want string
	}{
		{CSV, "a", "csv = {"},
		{csvWith(t, CSVOptions{Columns: []string{"a", "", "b"}}), "c", "have only a, b (csv.columns)"},
		{csvWith(t, CSVOptions{Header: true}), "a.b", "no columns within columns"},
	} {
		if err := c.k.Check(strings.Split(c.path, ".")); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.path, err)
		}
	}
}
