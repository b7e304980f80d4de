package wave

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestParseRows(t *testing.T) {
	for _, c := range []struct {
		text string
		want []row
		err  string
	}{
		{text: "1\n2.5\n", want: []row{{0, 1}, {time.Second, 2.5}}},
		{text: "ms, value\n1000, 1\n1250.5, 2\n", want: []row{{0, 1}, {250500 * time.Microsecond, 2}}},
		{text: "# recorded at the well\n1763632800000,1\n1763632801000,0\n", want: []row{{0, 1}, {time.Second, 0}}},
		{text: "2026-11-20T10:00:00Z,1\n2026-11-20T11:00:00.5+01:00,3\n", want: []row{{0, 1}, {500 * time.Millisecond, 3}}},
		{text: "0,1\n5,2\n5,3\n", want: []row{{0, 1}, {5 * time.Millisecond, 3}}},
		{text: "", err: "it has no values"},
		{text: "value\n", err: "it has no values"},
		{text: "1\nx\n", err: `line 2: "x" is not a number between -1e15 and 1e15`},
		{text: "1\nNaN\n", err: `line 2: "NaN" is not a number between -1e15 and 1e15`},
		{text: "1\n1e300\n", err: `line 2: "1e300" is not a number between -1e15 and 1e15`},
		{text: "0,1,2\n", err: "line 1: want time,value or value, have 3 columns"},
		{text: "0,1\n2\n", err: "record on line 2: wrong number of fields"},
		{text: "today,1\n", err: `line 1: "today" is no time; write milliseconds or 2026-11-20T10:00:00Z`},
		{text: "5,1\n4,1\n", err: "line 2: its time is before that of the line above"},
		{text: "0,1\n1e14,1\n", err: "line 2: more than ten years after the first line"},
	} {
		got, err := parseRows(strings.NewReader(c.text), time.Second)
		if c.err == "" && err == nil && slices.Equal(got, c.want) || err != nil && err.Error() == c.err {
			continue
		}
		t.Errorf("%q: %v, %v; want %v, %q", c.text, got, err, c.want, c.err)
	}
}

func TestRowsAreBounded(t *testing.T) {
	_, err := parseRows(strings.NewReader(strings.Repeat("1\n", maxRows+1)), time.Millisecond)
	if err == nil || !strings.HasPrefix(err.Error(), "line 1000001: ") {
		t.Fatal(err)
	}
}

// FuzzParseRows: whatever is read plays, in ascending times and without a panic.
func FuzzParseRows(f *testing.F) {
	for _, s := range []string{"1\n0\n", "t,v\n0,1\n10,0\n", "# x\n2026-11-20T10:00:00Z,5\n", "0,1\n0,2\n", "-1e15,1\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		rows, err := parseRows(strings.NewReader(text), time.Second)
		if err != nil {
			return
		}
		for i := 1; i < len(rows); i++ {
			if rows[i].at <= rows[i-1].at {
				t.Fatalf("row %d: %v after %v", i, rows[i].at, rows[i-1].at)
			}
		}
		r := &replay{Repeat: true, rows: rows, Period: newCSV().(*replay).Period}
		p := r.New("x").(*player)
		at := time.Duration(0)
		for range 5 {
			if v, err := p.At(at); err != nil || v > limit {
				t.Fatalf("at %v: %v, %v", at, v, err)
			}
			next, more := p.Next(at)
			if more && next <= at {
				t.Fatalf("change %v after %v", next, at)
			}
			if !more {
				break
			}
			at = next
		}
	})
}
