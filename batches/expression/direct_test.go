package expression

import (
	"math"
	"slices"
	"testing"

	"edged"
	"edged/batches/decode"
	"edged/test/await"

	"pgregory.net/rapid"
)

// drawExpr writes an expression of columns, levels and constants.
func drawExpr(t *rapid.T, depth int) string {
	top := 8
	if depth > 3 {
		top = 2
	}
	sub := func() string { return drawExpr(t, depth+1) }
	switch rapid.IntRange(0, top).Draw(t, "sort") {
	case 0, 1:
		return rapid.SampledFrom([]string{"a", "b", "c", "n", "s", "a", "b", "n.x", "topic[1]", "topic[9]", "topic", "retain", "qos"}).Draw(t, "name")
	case 2:
		return rapid.SampledFrom([]string{"0", "1", "-40", "2.5", "1e300", "9007199254740993", `"x"`, `""`, "'site'", "true", "false"}).Draw(t, "constant")
	case 3:
		return rapid.SampledFrom([]string{"-", "not ", "+", "!"}).Draw(t, "unary") + "(" + sub() + ")"
	case 4, 5:
		return "(" + sub() + rapid.SampledFrom([]string{" + ", " - ", " * ", " / ", " % ", " ** "}).Draw(t, "arithmetic") + sub() + ")"
	case 6:
		return "(" + sub() + rapid.SampledFrom([]string{" and ", " or ", " && ", " || "}).Draw(t, "logic") + sub() + ")"
	case 7:
		return "(" + sub() + rapid.SampledFrom([]string{" contains ", " startsWith ", " endsWith ", ` in ["x", "y"] or true == `, " in [1, 2] or ", " ?? "}).Draw(t, "texts") + sub() + ")"
	}
	return "(" + sub() + rapid.SampledFrom([]string{" == ", " != ", " < ", " <= ", " > ", " >= "}).Draw(t, "comparison") + sub() + ")"
}

func drawCell(t *rapid.T) edged.Value {
	return rapid.SampledFrom([]edged.Value{
		edged.NumberValue(0), edged.NumberValue(1), edged.NumberValue(-40), edged.NumberValue(21.5), edged.NumberValue(1e308), edged.NumberValue(math.MaxInt64), edged.NumberValue(9007199254740992),
		edged.NumberValue(1.0 / 3), edged.TextValue("x"), edged.TextValue(""), edged.TextValue("site/7"), edged.BoolValue(true), edged.BoolValue(false), edged.BytesValue("x"), edged.TimeValue(5),
		edged.JSONValue("[1]"), edged.JSONValue(`"x"`), edged.NullValue(), {},
	}).Draw(t, "cell")
}

// What is compiled into functions gives what the virtual machine gives.
func TestDirectIsWhatTheMachineComputes(t *testing.T) {
	typed := decode.JSON
	typed.Open = decode.Closed
	typed.Columns = []decode.Column{{Name: "a", Type: edged.Number}, {Name: "b", Type: edged.Number}, {Name: "c", Type: edged.Bool}, {Name: "s", Type: edged.Text}, {Name: "n", Type: edged.Absent}}
	e, decided, undecided := NewEvaluator(), 0, 0
	await.Luck(t, func() bool { return decided > 0 && undecided > 0 }, func(t *rapid.T) {
		kind := decode.JSON
		if rapid.Bool().Draw(t, "typed") {
			kind = typed
		}
		s, text := NewScope(kind), drawExpr(t, 0)
		x, err := s.Compile(text)
		if err != nil || x.direct.none() {
			return
		}
		machine := *x
		machine.direct = direct{}
		for range 5 {
			r := &Row{Topic: rapid.SampledFrom([]string{"site/x/2", "x"}).Draw(t, "topic"), Retain: rapid.Bool().Draw(t, "retain")}
			for i := range s.Paths() {
				cell := drawCell(t)
				if is := s.typeOf(i); is != edged.Absent && cell.Kind() != is {
					cell = edged.NullValue() // a column of a type has no values of others
				}
				r.Cols = append(r.Cols, cell)
			}
			if got, want := e.Value(x, r), e.Value(&machine, r); got != want {
				t.Fatalf("%s of %+v is %+v, the machine says %+v", text, r, got, want)
			}
			if got, want := e.True(x, r), e.True(&machine, r); got != want {
				t.Fatalf("%s of %+v is %t, the machine says %t", text, r, got, want)
			}
			if _, ok := x.direct.value(x, r); ok {
				decided++
			} else {
				undecided++
			}
		}
	})
	if decided == 0 || undecided == 0 {
		t.Errorf("%d rows without the machine, %d with it: nothing was compared", decided, undecided)
	}
	t.Logf("%d rows without the machine, %d with it", decided, undecided)
}

// What streams usually say needs no machine, and no memory.
func TestUsualExpressionsAreDirect(t *testing.T) {
	for _, text := range []string{
		"a % 10 == 1", "a > -40", `a > -40 && s == "x"`, `topic[1] == "x" or not c`, "(a - 32) / 1.8 < 100", `s in ["x", "y"]`, `s startsWith "x" and a * 2 + b != 3`, "a != b", "!c", `topic contains "/"`, "not retain",
	} {
		s := NewScope(decode.JSON)
		x, err := s.CompileBool(text)
		if err != nil {
			t.Fatal(err)
		}
		r := &Row{Topic: "site/x"}
		for _, path := range s.Paths() {
			r.Cols = append(r.Cols, map[string]edged.Value{"a": edged.NumberValue(1), "b": edged.NumberValue(2), "c": edged.BoolValue(false), "s": edged.TextValue("x")}[path[0]])
		}
		e := NewEvaluator()
		if _, ok := x.direct.value(x, r); !ok || !e.True(x, r) {
			t.Errorf("%s: direct %t, %t", text, ok, e.True(x, r))
		}
		if n := testing.AllocsPerRun(100, func() { e.True(x, r) }); n > 0 {
			t.Errorf("%s: %v allocations", text, n)
		}
	}
}

// A text that is split by the function is split as by the machine.
func TestDirectSplits(t *testing.T) {
	s := NewScope(decode.JSON)
	var xs []*Expr
	for _, text := range []string{`split(a, " ")`, `split(a, "ab")`, `split(a, "")`, `split(topic[1], ",")`, `split(a, " ", 2)`, "split(a, b)", "a | split(' ')"} {
		x, err := s.CompileList(text)
		if err != nil {
			t.Fatal(err)
		}
		xs = append(xs, x)
	}
	e, other := NewEvaluator(), NewEvaluator()
	rapid.Check(t, func(t *rapid.T) {
		r := &Row{Topic: "x/a,b,,c", Cols: []edged.Value{edged.TextValue(rapid.StringMatching(`[ab ]{0,12}`).Draw(t, "text")), edged.TextValue(" ")}}
		if rapid.IntRange(0, 4).Draw(t, "odd") == 0 {
			r.Cols[0] = drawCell(t)
		}
		for _, x := range xs {
			machine := *x
			machine.direct = direct{}
			if got, want := e.List(x, r), other.List(&machine, r); !slices.Equal(got, want) {
				t.Fatalf("%+v is split into %+v, by the machine into %+v", r.Cols, got, want)
			}
		}
	})
	if xs[0].direct.split == nil || xs[6].direct.split == nil {
		t.Error("split by a constant is not direct")
	}
}
