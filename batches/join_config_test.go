package batches

import (
	"testing"

	"edged"
	"edged/internal/conf"
)

// What is written the same is the same, whatever it is; lists of values that differ have keys that differ.
func TestKeysAreComparedAsTheyAreWritten(t *testing.T) {
	key := func(vs ...edged.Value) string {
		var b []byte
		for _, v := range vs {
			var ok bool
			if b, ok = appendWritten(b, v); !ok {
				return "missing"
			}
		}
		return string(b)
	}
	num, text := edged.NumberValue, edged.TextValue
	for _, same := range [][2]edged.Value{
		{num(7), text("7")}, {num(7.5), text(" 7.5")}, {num(1e6), text("1000000")}, {num(-0.25), text("-0.25")}, {edged.BoolValue(true), text("true")}, {num(1e21), text("1e+21")},
		{edged.TimeValue(0), text("1970-01-01T00:00:00Z")}, {text("ä"), edged.BytesValue("ä")},
	} {
		if key(same[0]) != key(same[1]) {
			t.Errorf("%+v is not %+v", same[0], same[1])
		}
	}
	if key(text("07")) == key(num(7)) || key(text("a"), text("bc")) == key(text("ab"), text("c")) || key(text("7"), edged.NullValue()) != "missing" || key(edged.Value{}) != "missing" {
		t.Error("different keys are the same")
	}
}

func TestMistakesInJoins(t *testing.T) {
	for _, x := range []struct{ keys, want string }{
		{`join = { d = "t" }`, `f:5: stream s, join: it needs on, which says what must be equal: on = { id = "topic[1]" }`},
		{`on = { id = "topic[1]" }`, `f:5: on is for a stream with join, such as join = { d = "devices" }; this one has none`},
		{`within = "5s"`, `f:5: within is for a stream with join, such as join = { d = "devices" }; this one has none`},
		{`join = { d = "t", e = "t" }`, `f:5: stream s, join.e: a stream has one join; chain a second stream for another`},
		{`join = { qos = "t" }
on = { id = "id" }`, `f:5: stream s, join.qos: "qos" is a name of the gateway's own; choose another`},
		{`join = { topic = "t" }
on = { id = "id" }`, `f:5: stream s, join.topic: "topic" is a name of the gateway's own; choose another`},
		{`join = { d = "t" }
on = { id = "id" }
select = { d = "d.x" }`, `f:7: stream s, select.d: "d" is there twice`},
		{`join = { d = "t" }
on = { id = "id" }
where = "d"`, `f:7: stream s, where: d is the joined row: name one of its fields, such as d.name`},
		{`join = { d = "t" }
on = { id = "id" }
where = "d.a.b > 1"`, `f:7: stream s, where: the joined side: there is no column "a.b": payloads of this kind have no columns within columns`},
		{`join = { d = "t" }
on = { id = "id" }
columns = { id = "int", d = "any" }`, `f:5: stream s, join.d: it would hide the column d; choose another name`},
		{`join = { d = "t" }
on = { id = "id >" }`, `f:6: stream s, on.id: unexpected token EOF (at character 4)`},
		{`join = { d = "t" }
on = { "topic[1]" = "id" }`, `f:6: stream s, on.topic[1]: a table's rows have no topic: name one of its columns`},
		{`join = { d = "t" }
on = { id = "id" }
join_decode = "cvs"`, `f:7: stream s, join_decode: unknown decoder "cvs"; did you mean "csv"?`},
		{`join = { d = "t" }
on = { id = "id" }
join_topics = ["x"]`, `f:7: stream s, join_topics: it is for the join of two streams, which has within`},
		{`join = { d = "a" }
on = { id = "id" }`, `f:5: stream s, join: a is in from, too. If it is a table, take it out there: a table is no stream of readings. If it is not, the join needs within and join_topics, which tell both sides apart`},
		{`join = { d = "a" }
on = { id = "id" }
within = "5s"`, `f:5: stream s, join: a is in from, too: join_topics must say which of its messages are the other side`},
		{`join = { d = "a" }
on = { id = "id" }
within = "5s"
join_topics = ["site/+/temp"]`, `f:8: stream s, join_topics: a message can match site/+/temp and site/# of topics: it must be known which side it is`},
		{`join = { d = "b" }
on = { id = "id" }
within = "5s"
join_time = "ts"`, `f:8: stream s, join_time: it is for a stream with a time field; this one has time = "arrival"`},
		{`join = { d = "b" }
on = { id = "id" }
within = "-5s"`, `f:7: stream s, within: it must be more than 0s, and at most 365d`},
		{`join = { d = "t" }
on = { id = "id" }
join_csv = { delimiter = "||" }`, `f:7: stream s, join_csv.delimiter: want one ASCII character that is no quote and no line break, such as ";" or "\t", have "||"`},
	} {
		doc := conf.Parse("f", []byte("[stream.s]\nfrom = [\"a\"]\ntopics = [\"site/#\"]\nsinks = [\"x\"]\n"+x.keys))
		if _, p := LoadStream(doc.Root().Sub("stream").Sub("s"), nil, false); p != nil {
			t.Errorf("%s compiled", x.keys)
		}
		var got []string
		for _, p := range doc.Problems() {
			got = append(got, p.String())
		}
		if len(got) != 1 || got[0] != x.want {
			t.Errorf("%s:\ngot  %q\nwant %q", x.keys, got, x.want)
		}
	}
}
