package expression

import (
	"strings"
	"testing"
	"time"

	"edged"
	"edged/batches/decode"
)

// try compiles text and evaluates it on a JSON payload of topic site/7/gpio/3.
func try(t *testing.T, text, payload string) edged.Value {
	t.Helper()
	s := NewScope(decode.JSON)
	x, err := s.Compile(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	d := decode.JSON.New(s.Paths())
	r := &Row{Cols: make([]edged.Value, len(s.Paths())), Topic: "site/7/gpio/3", Time: 1e18, QoS: 1}
	if _, err := d.Decode([]byte(payload), r.Cols); err != nil {
		t.Fatal(err)
	}
	e := NewEvaluator()
	first := e.Value(x, r)
	if second := e.Value(x, r); second != first {
		t.Fatalf("%s gives %v, then %v", text, first, second)
	}
	return first
}

// A column of a known type can be missing all the same, and an expression may speak of that.
func TestTypedColumnsCanBeMissing(t *testing.T) {
	kind := decode.JSON
	kind.Open = decode.Closed
	kind.Columns = []decode.Column{{Name: "n", Type: edged.Number}, {Name: "s", Type: edged.Text}, {Name: "b", Type: edged.Bool}, {Name: "t", Type: edged.Time}}
	for text, want := range map[string]edged.Value{
		"n ?? 5": edged.NumberValue(5), "n == nil": edged.BoolValue(true), "n == nil || n > 3": edged.BoolValue(true), "n != nil && n > 3": edged.BoolValue(false),
		`s == nil or s == "x"`: edged.BoolValue(true), `s ?? "none"`: edged.TextValue("none"), "b ?? true": edged.BoolValue(true), "b == nil": edged.BoolValue(true),
		"t == nil": edged.BoolValue(true), "n + 1": edged.NullValue(), "t > time": edged.NullValue(), "not b": edged.NullValue(), "s == nil ? 1 : len(s)": edged.NumberValue(1),
	} {
		s := NewScope(kind)
		x, err := s.Compile(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := NewEvaluator().Value(x, &Row{Cols: make([]edged.Value, len(s.Paths()))}); got != want {
			t.Errorf("%s: %+v, want %+v", text, got, want)
		}
	}
}

func TestValues(t *testing.T) {
	for _, c := range []struct {
		text, payload string
		want          edged.Value
	}{
		{"value", `{"value":21.5}`, edged.NumberValue(21.5)},
		{"(value - 32) / 1.8", `{"value":50}`, edged.NumberValue(10)},
		{"topic[1]", `{}`, edged.TextValue("7")},
		{"topic[9]", `{}`, edged.TextValue("")},
		{"topic", `{}`, edged.TextValue("site/7/gpio/3")},
		{`topic[1] + "-" + topic[3]`, `{}`, edged.TextValue("7-3")},
		{"a.b.c * 2", `{"a":{"b":{"c":4}}}`, edged.NumberValue(8)},
		{"payload.topic", `{"topic":"mine"}`, edged.TextValue("mine")},
		{"payload.a.b", `{"a":{"b":1}}`, edged.NumberValue(1)},
		{"qos + 1", `{}`, edged.NumberValue(2)},
		{"len(name)", `{"name":"door"}`, edged.NumberValue(4)},
		{"abs(value)", `{"value":-2}`, edged.NumberValue(2)},
		{"missing", `{}`, edged.Value{}},
		{"missing + 1", `{}`, edged.NullValue()},
		{"missing ?? 5", `{}`, edged.NumberValue(5)},
		{"value + 1", `{"value":"x"}`, edged.NullValue()},
		{"let x = value * 2; x + 1", `{"value":3}`, edged.NumberValue(7)},
		{"list[1]", `{"list":[1,2,3]}`, edged.NumberValue(2)},
		{"time.Year()", `{}`, edged.NumberValue(2001)},
		{`{"a": value}`, `{"value":1}`, edged.JSONValue(`{"a":1}`)},
		{"value > 3 ? 'hot' : 'cold'", `{"value":4}`, edged.TextValue("hot")},
	} {
		if got := try(t, c.text, c.payload); got != c.want {
			t.Errorf("%s of %s gives %+v, want %+v", c.text, c.payload, got, c.want)
		}
	}
}

func TestWhereIsFalseWithoutItsOperands(t *testing.T) {
	for _, c := range []struct {
		text, payload string
		want          bool
	}{
		{"value > -40", `{"value":21.5}`, true},
		{"value > -40", `{"value":-41}`, false},
		{"value > -40", `{}`, false},
		{"value > -40", `{"value":"warm"}`, false},
		{"value > -40", `{"value":null}`, false},
		{"value != 3", `{}`, false},
		{"value == nil", `{}`, true},
		{"(value ?? 0) < 1", `{}`, true},
		{`value > 1 or topic[0] == "site"`, `{"value":0}`, true},
		{`state in ["open", "shut"]`, `{"state":"open"}`, true},
		{`topic startsWith "site/"`, `{}`, true},
		{"not retain", `{}`, true},
	} {
		s := NewScope(decode.JSON)
		x, err := s.CompileBool(c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		r := &Row{Cols: make([]edged.Value, len(s.Paths())), Topic: "site/7"}
		if _, err := decode.JSON.New(s.Paths()).Decode([]byte(c.payload), r.Cols); err != nil {
			t.Fatal(err)
		}
		if got := NewEvaluator().True(x, r); got != c.want {
			t.Errorf("%s of %s is %t", c.text, c.payload, got)
		}
	}
}

func TestMistakesAreFoundWhenLoaded(t *testing.T) {
	for _, c := range []struct {
		kind       decode.Kind
		text, want string
	}{
		{decode.JSON, "value >", "character"},
		{decode.JSON, "", "empty"},
		{decode.JSON, "topic[value]", "level of the topic"},
		{decode.JSON, "topic[99]", "level of the topic"},
		{decode.JSON, "topic > 3", "mismatched types"},
		{decode.JSON, "payload", "payload.x"},
		{decode.JSON, "now()", "now"},
		{decode.JSON, "nosuch(value)", "nosuch"},
		{decode.Number, "temp > 3", `no column "temp"`},
		{decode.Number, `value == "x"`, "mismatched types"},
		{decode.Text, "value + 1", "mismatched types"},
		{decode.JSON, "value + 1", "true or false"},
		{decode.JSON, `-value`, "true or false"},
		{decode.JSON, `"on"`, "bool"},
		{decode.Raw, "value", "no columns"},
	} {
		_, err := NewScope(c.kind).CompileBool(c.text)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "c0") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v", c.text, err)
		}
	}
	if _, err := NewScope(decode.JSON).CompileBool("1 + 1"); err == nil {
		t.Error("a number is no condition")
	}
}

func TestComputedColumnsAreSeenByWhatComesAfter(t *testing.T) {
	s := NewScope(decode.JSON)
	before, err := s.Compile("celsius")
	if err != nil {
		t.Fatal(err)
	}
	slot := s.Define("celsius")
	after, err := s.Compile("celsius + 1")
	if err != nil {
		t.Fatal(err)
	}
	r := &Row{Cols: make([]edged.Value, len(s.Paths()))}
	decode.JSON.New(s.Paths()).Decode([]byte(`{"celsius": 1}`), r.Cols)
	r.Cols[slot] = edged.NumberValue(20)
	e := NewEvaluator()
	if v := e.Value(before, r); v != edged.NumberValue(1) {
		t.Error(v)
	}
	if v := e.Value(after, r); v != edged.NumberValue(21) {
		t.Error(v)
	}
}

func TestAPanickingExpressionIsNull(t *testing.T) {
	for _, text := range []string{"list[99]", "1 % int(value)", "int(name)", "repeat(name, 10000000)"} {
		if v := try(t, text, `{"list":[1],"value":0,"name":"x"}`); v != edged.NullValue() {
			t.Errorf("%s gives %+v", text, v)
		}
	}
}

// Whatever the payload, an expression that compiles gives a value, and soon.
func FuzzEvaluate(f *testing.F) {
	for _, s := range [][2]string{
		{"value / n", `{"value":1,"n":0}`}, {"value % n", `{"value":1,"n":0}`}, {"list[n]", `{"list":[1],"n":9}`}, {"repeat(name, n)", `{"name":"x","n":99999}`},
		{"name + value", `{"name":{},"value":[]}`}, {"all(list, any(list, # == 1))", `{"list":[1,2,3]}`}, {"1..n", `{"n":1e18}`}, {"fromJSON(name).x", `{"name":"{\"x\":1}"}`},
		{"name matches name", `{"name":"(a*)*b"}`}, {"toJSON(list)", `{"list":[[[]]]}`}, {"let x = value; x.y?.z", `{"value":null}`}, {"date(name)", `{"name":"2026"}`},
		{"sortBy(list, #.a)", `{"list":[{"a":1},{"a":"x"}]}`}, {"groupBy(list, #)", `{"list":[1,null]}`}, {"sum(list)", `{"list":["a"]}`}, {"flatten(list)", `{"list":[[1],[2]]}`},
	} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, text, payload string) {
		s := NewScope(decode.JSON)
		x, err := s.Compile(text)
		if err != nil {
			return
		}
		r := &Row{Cols: make([]edged.Value, len(s.Paths())), Topic: "site/7/gpio/3", Time: 1e18}
		if _, err := decode.JSON.New(s.Paths()).Decode([]byte(payload), r.Cols); err != nil {
			return
		}
		began := time.Now()
		NewEvaluator().Value(x, r)
		if took := time.Since(began); took > 10*time.Second {
			t.Fatalf("%q takes %v", text, took)
		}
	})
}

func FuzzCompile(f *testing.F) {
	for _, s := range []string{"value > 3", "topic[1]", "a.b ?? c", "let x = 1; x", "map(list, # * 2)", "{a: 1}.a", "payload.x"} {
		f.Add(s)
	}
	row := &Row{Topic: "a/b"}
	f.Fuzz(func(_ *testing.T, text string) {
		s := NewScope(decode.JSON)
		x, err := s.Compile(text)
		if err != nil {
			return
		}
		row.Cols = make([]edged.Value, len(s.Paths()))
		NewEvaluator().Value(x, row)
	})
}

func BenchmarkWhere(b *testing.B) {
	s := NewScope(decode.JSON)
	x, _ := s.CompileBool("value > -40")
	r := &Row{Cols: []edged.Value{edged.NumberValue(21.5)}}
	e := NewEvaluator()
	b.ReportAllocs()
	for b.Loop() {
		e.True(x, r)
	}
}
