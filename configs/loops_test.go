package configs

import (
	"strings"
	"testing"
)

const loopBase = `
data_dir = "{{dir}}"
[broker]
[receiver.field]
type = "mqtt"
topics = ["site/#"]
[receiver.far]
type = "mqtt"
broker = "tcp://far.example"
topics = ["site/#"]
[stream.a]
from = ["field"]
topics = ["site/+/gpio/+"]
sinks = ["out"]
`

// Results that come back into their own stream are a mistake; those that go elsewhere are not.
func TestLoops(t *testing.T) {
	for text, want := range map[string]string{
		"[sink.out]\ntype = \"mqtt\"":                                                            "",
		"[sink.out]\ntype = \"mqtt\"\ntopic = \"site/1/results/{stream}\"":                       "",
		"[sink.out]\ntype = \"mqtt\"\ntopic = \"site/1/gpio/2\"\nbroker = \"tcp://far.example\"": "", // another broker
		"[sink.out]\ntype = \"mqtt\"\ntopic = \"site/{device}\"": "topic: what stream a publishes here flows back into it, for ever: sink out publishes to site/#, and receiver field takes site/# for stream a; " +
			"publish to a topic that none of these receivers takes, or narrow the topics of the stream",
		"[sink.out]\ntype = \"mqtt\"\ntopic = \"{topic}/avg\"": "for ever: sink out publishes to #, and receiver field",
		"[sink.out]\ntype = \"mqtt\"\ntopic = \"site/x/gpio/{device}\"\nbroker = \"tcp://far.example:1883\"\n" +
			"[stream.b]\nfrom = [\"far\"]\ntopics = [\"site/#\"]\nsinks = [\"out\"]": "what stream b publishes here flows back into it",
		// By way of another stream.
		"[sink.out]\ntype = \"mqtt\"\ntopic = \"site/all\"\n[stream.b]\nfrom = [\"field\"]\ntopics = [\"site/all\"]\nsinks = [\"back\"]\n[sink.back]\ntype = \"mqtt\"\ntopic = \"site/1/gpio/1\"": "sink out publishes to site/all, and receiver field takes site/# for stream b, then sink back publishes to site/1/gpio/1, and receiver field takes site/# for stream a",
	} {
		_, problems, _ := load(t, loopBase+text)
		all := strings.Join(problems, "\n")
		if want == "" && all != "" || !strings.Contains(all, want) {
			t.Errorf("%s\ngot  %s\nwant %s", text, all, want)
		}
	}
}

// A sink and a receiver at one broker are two clients of it, and each has its own identifier, also if none is written.
func TestASinksClientIdentifier(t *testing.T) {
	sink := "[sink.far]\ntype = \"mqtt\"\nbroker = \"tcp://far.example\"\n[stream.b]\nfrom = [\"far\"]\ntopics = [\"x\"]\nsinks = [\"far\"]\n"
	out := "[sink.out]\ntype = \"console\"\n"
	if _, problems, _ := load(t, loopBase+out+sink); len(problems) > 0 {
		t.Error(problems)
	}
	same := strings.Replace(loopBase, `broker = "tcp://far.example"`, "broker = \"tcp://far.example\"\nclient_id = \"x\"", 1) + out + strings.Replace(sink, "[stream.b]", "client_id = \"x\"\n[stream.b]", 1)
	if _, problems, _ := load(t, same); len(problems) != 1 || !strings.Contains(problems[0], `"x" is the client identifier of [receiver.far]`) {
		t.Error(problems)
	}
}
