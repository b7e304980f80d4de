package expression

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"edged"
)

// No payload makes an evaluation take all the memory, or more than a moment: it gives null then.
func TestAnEvaluationIsBounded(t *testing.T) {
	long := strings.Repeat("a", 200<<10)
	list := strings.Repeat("1,", 60_000) + "1"
	deep := strings.Repeat("[", 250) + list + strings.Repeat("]", 250)
	for _, c := range []struct{ text, payload string }{
		{"repeat(name, n)", fmt.Sprintf(`{"name":%q,"n":1000000}`, long)},
		{"repeat(name, n)", fmt.Sprintf(`{"name":%q,"n":1e300}`, long)},
		{`replace(name, "a", name)`, fmt.Sprintf(`{"name":%q}`, long)},
		{`replace(name, "", name)`, fmt.Sprintf(`{"name":%q}`, long)},
		{`join(split(name, ""), name)`, fmt.Sprintf(`{"name":%q}`, long)},
		{`map(split(name, ""), name + #)`, fmt.Sprintf(`{"name":%q}`, long)},
		{"reduce(1..60, #acc + #acc, name)", `{"name":"ab"}`},
		{`let a = name + name; let b = a + a; let c = b + b; let d = c + c; let e = d + d; let f = e + e; let g = f + f; len(g + g)`, fmt.Sprintf(`{"name":%q}`, long)},
		{"1..n", `{"n":9e15}`}, {"1..n", `{"n":2147483647}`}, {"1..n", `{"n":4294967300}`}, {"n..2", `{"n":-9e18}`}, {"n..2", `{"n":-2147483648}`}, {"-n..n", `{"n":1e300}`},
		{"1..2 * 1000000000 * n", `{"n":1}`}, {"map(1..1000, 1..1000)", `{}`}, {"sum(1..n)", `{"n":600000}`}, {"map(1..9, 1..n)", `{"n":60000}`},
		{"map(1..n, map(1..n, map(1..n, #)))", `{"n":1000}`},
		{"all(list, let x = #; all(list, x == #))", fmt.Sprintf(`{"list":[%s]}`, list)},
		{"count(list, any(list, any(list, false)))", fmt.Sprintf(`{"list":[%s]}`, list)},
		{"uniq(list)", fmt.Sprintf(`{"list":[%s]}`, list)},
		{"toJSON(list)", fmt.Sprintf(`{"list":%s}`, deep)},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		began := time.Now()
		if got := try(t, c.text, c.payload); got != edged.NullValue() {
			t.Errorf("%s gives %.40v, want null", c.text, got)
		}
		runtime.ReadMemStats(&after)
		if took, bytes := time.Since(began), after.TotalAlloc-before.TotalAlloc; took > time.Minute || bytes > 512<<20 {
			t.Errorf("%s took %v and %d MiB", c.text, took, bytes>>20)
		}
	}
}

// What is bounded computes what it did.
func TestBoundedBuiltIns(t *testing.T) {
	for _, c := range []struct {
		text, payload string
		want          edged.Value
	}{
		{"repeat(name, 3)", `{"name":"ab"}`, edged.TextValue("ababab")},
		{`replace(name, "a", "oo")`, `{"name":"banana"}`, edged.TextValue("boonoonoo")},
		{`replace(name, "a", "o", 1)`, `{"name":"banana"}`, edged.TextValue("bonana")},
		{`join(split(name, "-"), "/")`, `{"name":"a-b-c"}`, edged.TextValue("a/b/c")},
		{`join(list)`, `{"list":["x","y"]}`, edged.TextValue("xy")},
		{`name + "!"`, `{"name":"a"}`, edged.TextValue("a!")},
		{"a + b", `{"a":1,"b":2.5}`, edged.NumberValue(3.5)},
		{"a + b", `{"a":1,"b":"x"}`, edged.NullValue()},
		{"reduce(list, #acc + #, 0)", `{"list":[1,2,3]}`, edged.NumberValue(6)},
		{"sum(map(list, # * 2))", `{"list":[1,2,3]}`, edged.NumberValue(12)},
		{"len(filter(list, # > 1))", `{"list":[1,2,3]}`, edged.NumberValue(2)},
		{"any(list, # > 2) and all(list, # > 0) and one(list, # == 2) and none(list, # > 3)", `{"list":[1,2,3]}`, edged.BoolValue(true)},
		{"find(list, # > 1) + find(list, # > 2)", `{"list":[1,2,3]}`, edged.NumberValue(5)},
		{"sortBy(list, -#)[0]", `{"list":[1,2,3]}`, edged.NumberValue(3)},
		{"uniq(list)", `{"list":[1,1,2]}`, edged.JSONValue("[1,2]")},
		{"sum(map(1..n, # * 2))", `{"n":3}`, edged.NumberValue(12)},
		{"sum(map(1..4, # * 2))", `{}`, edged.NumberValue(20)},
		{"n..-n", `{"n":-1.9}`, edged.JSONValue("[-1,0,1]")},
		{"2..n", `{"n":1}`, edged.JSONValue("[]")},
		{"1..n", `{"n":"x"}`, edged.NullValue()},
		{"n in 1..3", `{"n":2}`, edged.BoolValue(true)},
		{"qos in 1..3", `{}`, edged.BoolValue(true)},
		{"(1..n)[1]", `{"n":5}`, edged.NumberValue(2)},
		{"len(1..500000)", `{}`, edged.NumberValue(500000)},
		{"toJSON(list)", `{"list":[1]}`, edged.TextValue("[\n  1\n]")},
		{`time + duration("1h") > time`, `{}`, edged.BoolValue(true)},
		{`map(list, .x + "s") | join(",")`, `{"list":[{"x":"a"},{"x":"b"}]}`, edged.TextValue("as,bs")},
	} {
		if got := try(t, c.text, c.payload); got != c.want {
			t.Errorf("%s of %s gives %+v, want %+v", c.text, c.payload, got, c.want)
		}
	}
}
