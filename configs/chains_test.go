package configs

import (
	"slices"
	"strings"
	"testing"
)

// What streams may take from each other.
func TestChains(t *testing.T) {
	const base = `
data_dir = "{{dir}}"
[broker]
[receiver.field]
type = "mqtt"
topics = ["site/#"]
max_rate = "100/s"
[sink.out]
type = "console"
`
	stream := func(name, from, more string) string {
		return "[stream." + name + "]\nfrom = [" + from + "]\n" + more + "\n"
	}
	const window, sinks, topics = "window = \"tumbling 1s\"\naggregate = { n = \"count()\" }\n", "sinks = [\"out\"]\n", "topics = [\"site/#\"]\n"
	first := stream("a", `"field"`, topics+window)
	for _, c := range []struct{ text, want string }{
		{first + stream("b", `"a"`, window+sinks), ""},                 // neither sinks there nor topics here
		{first + stream("b", `"a", "field"`, topics+window+sinks), ""}, // a union
		{first + stream("b", `"a", "field"`, window+sinks), "f:16: [stream.b] needs topics"},
		{first, "f:10: [stream.a] needs sinks"},
		{first + stream("b", `"aa"`, topics+sinks), `f:17: from: there is no [receiver.aa] or [stream.aa]; did you mean "a"?`},
		{first + stream("b", `"feild"`, topics+sinks), `f:17: from: there is no [receiver.feild] or [stream.feild]; did you mean "field"?`},
		{stream("a", `"a"`, sinks), "f:11: from: stream a takes its own rows, for ever: stream a takes from stream a"},
		{stream("a", `"field", "c"`, topics+sinks) + stream("b", `"a"`, sinks) + stream("c", `"b"`, ""),
			"f:11: from: stream a takes its own rows, for ever: stream b takes from stream a, then stream c takes from stream b, then stream a takes from stream c"},
		{stream("field", `"field"`, topics+sinks) + stream("b", `"field"`, topics+window+sinks), ""}, // the receiver is meant
		{stream("a", `"field"`, topics+window+"time = \"ts\"") + stream("b", `"a"`, window) + stream("c", `"b", "field"`, topics+window+sinks),
			"f:22: from: rows of stream b are dated by a field of the payloads, messages of field by the gateway's clock: no window could tell when both have come to its end; take them in two streams"},
		{stream("a", `"field"`, topics+window+"time = \"ts\"") + stream("b", `"a", "field"`, topics+window+sinks+"time = \"ts\"\nidle = \"0s\""), ""}, // it asks neither clock
		{stream("a", `"field"`, topics+"time = \"ts\"") + stream("c", `"a", "field"`, topics+window+sinks), ""},                                       // rows without a window arrive when their messages did
	} {
		_, problems, _ := load(t, base+c.text)
		slices.Sort(problems)
		if c.want == "" && len(problems) > 0 || c.want != "" && (len(problems) != 1 || !strings.HasPrefix(problems[0], c.want)) {
			t.Errorf("%s\ngot  %s\nwant %s", c.text, strings.Join(problems, "\n     "), c.want)
		}
	}
	// By way of a sink, too.
	_, problems, _ := load(t, base+stream("a", `"field"`, "topics = [\"site/1\"]\n"+window)+stream("b", `"a"`, "sinks = [\"back\"]")+"[sink.back]\ntype = \"mqtt\"\ntopic = \"site/1\"\n")
	if len(problems) != 1 || !strings.Contains(problems[0], "what stream b publishes here flows back into it, for ever: sink back publishes to site/1, and receiver field takes site/# for stream a, then stream b takes from stream a") {
		t.Error(problems)
	}
	c, problems, notes := load(t, base+first+stream("b", `"a"`, "topics = [\"site/+\"]\n"+sinks))
	if len(problems) > 0 || len(notes) != 1 || !strings.Contains(notes[0], "stream b asks for site/+, and what it takes from brings only [a]: it will get nothing of it") {
		t.Error(problems, notes)
	}
	if rate, of := c.rateOf(c.Streams[1]); rate != 100 || of != "max_rate" {
		t.Errorf("what reaches b is %v (%s)", rate, of)
	}
}
