package expression

import (
	"strings"
	"testing"

	"edged"
	"edged/batches/decode"

	"pgregory.net/rapid"
)

// A remainder of numbers of payloads, which are floats, is what one would expect; of what is none, and by 0, it is null.
func TestRemainders(t *testing.T) {
	num, null := edged.NumberValue, edged.NullValue()
	for _, c := range []struct {
		text, payload string
		want          edged.Value
	}{
		{"n % 10", `{"n":123}`, num(3)}, {"n % 10", `{"n":-123}`, num(-3)}, {"n % -10", `{"n":123}`, num(3)}, {"n % 10", `{"n":-120}`, num(0)}, {"n % m", `{"n":7,"m":4}`, num(3)},
		{"n % 2", `{"n":7.5}`, num(1.5)}, {"n % 0.5", `{"n":-1.25}`, num(-0.25)}, {"n % 10", `{"n":9007199254740991}`, num(1)}, {"n % 10", `{"n":1e22}`, num(0)},
		{"n % 0", `{"n":7}`, null}, {"n % m", `{"n":7,"m":0}`, null}, {"7 % n", `{"n":0}`, null}, {"n % 10", `{"n":"x"}`, null}, {"n % 10", `{"n":null}`, null}, {"n % 10", `{}`, null}, {"n % 10", `{"n":true}`, null},
		{"7 % 4", `{}`, num(3)}, {"-7 % 3", `{}`, num(-1)}, {"int(n) % 10", `{"n":"123"}`, num(3)}, {"len(s) % 2", `{"s":"abc"}`, num(1)},
		{"time.Unix() % 7", `{}`, num(1e9 - 7*142857142)}, {"list[n % 3]", `{"list":["a","b","c"],"n":7}`, edged.TextValue("b")}, {"(n % 10 + m % 10) / 2", `{"n":12,"m":26}`, num(4)},
		{"(n ?? 12) % 10", `{}`, num(2)}, {"map(list, # % 2)", `{"list":[1,2,3]}`, edged.JSONValue("[1,0,1]")}, {"n % 10 == 3 ? 'three' : 'other'", `{"n":13}`, edged.TextValue("three")},
		{`topic[1] + "x" == "7x" and n % 2 == 1`, `{"n":13}`, edged.BoolValue(true)},
	} {
		if got := try(t, c.text, c.payload); got != c.want {
			t.Errorf("%s of %s gives %+v, want %+v", c.text, c.payload, got, c.want)
		}
	}
	for text, want := range map[string]bool{"n % 2 == 1": true, "n % 2 != 1": false, "n % 0 != 1": false, "n % m != 1": false} {
		s := NewScope(decode.JSON)
		x, err := s.CompileBool(text)
		if err != nil {
			t.Fatal(err)
		}
		r := &Row{Cols: make([]edged.Value, len(s.Paths()))}
		if _, err := decode.JSON.New(s.Paths()).Decode([]byte(`{"n":13,"m":0}`), r.Cols); err != nil {
			t.Fatal(err)
		}
		if got := NewEvaluator().True(x, r); got != want {
			t.Errorf("%s is %t", text, got)
		}
	}
}

// Declared columns are numbers to both operators, and what is none is a mistake with its place.
func TestOperatorsOfDeclaredColumns(t *testing.T) {
	kind := decode.JSON
	kind.Open = decode.Closed
	kind.Columns = []decode.Column{{Name: "n", Type: edged.Number}, {Name: "s", Type: edged.Text}, {Name: "b", Type: edged.Bool}}
	for text, want := range map[string]string{
		"n % 10": "", "1..n": "", "n % n": "", "n % 10 == 3": "", `["a", "b"][n % 2]`: "", "map(1..n, # % 2)": "",
		"n + s % 10":         "invalid operation: % (mismatched types string and int) (at character 7)",
		"b % 2":              "invalid operation: % (mismatched types bool and int) (at character 3)",
		"1..s":               "invalid operation: .. (mismatched types int and string) (at character 2)",
		"n % nil":            "% wants two numbers (at character 3)",
		"7 % 0":              "integer divide by zero (at character 1)",
		"len(1..2000000000)": "the list 1..2000000000 is too long: 500000 numbers are the most (at character 6)",
	} {
		_, err := NewScope(kind).Compile(text)
		if got := ""; err != nil {
			if got = err.Error(); got != want {
				t.Errorf("%s: %s, want %s", text, got, want)
			}
		} else if want != "" {
			t.Errorf("%s is taken", text)
		}
	}
	for _, text := range []string{"n % 2", "1..n"} {
		if _, err := NewScope(kind).CompileBool(text); err == nil || !strings.Contains(err.Error(), "bool") && !strings.Contains(err.Error(), "true or false") {
			t.Errorf("%s as a condition: %v", text, err)
		}
	}
}

// Of whole numbers the remainder of floats is that of Go's %.
func TestRemaindersOfWholeNumbersAreExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, y := rapid.Int64Range(-1<<53, 1<<53).Draw(t, "x"), rapid.Int64Range(-1<<53, 1<<53).Draw(t, "y")
		if rapid.Bool().Draw(t, "small") {
			y %= 20
		}
		got, ok := modulo(float64(x), float64(y))
		if ok != (y != 0) {
			t.Fatalf("%d %% %d: %t", x, y, ok)
		}
		if ok && got != float64(x%y) {
			t.Fatalf("%d %% %d is %v", x, y, got)
		}
	})
}
