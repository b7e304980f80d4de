package mqtt

import (
	"strings"
	"testing"

	"edged/internal/conf"
)

func TestCheck(t *testing.T) {
	for text, want := range map[string]string{
		"":                           "",
		`broker = "embedded"`:        "",
		`broker = "tcp://h:1883"`:    "note: sink.hub at tcp://h:1883",
		`topic = "a/{stream}/{x}/b"`: "",
		`topic = ""`:                 `topic: name the topic to publish to, for example topic = "results/{stream}"`,
		`topic = "a/{"`:              `topic: "a/{": there is a { without a }`,
		`topic = "a/+/{x}"`:          `topic: "a/+/{x}": a topic name has no wildcards (+ and #)`,
		`topic = "$SYS/x"`:           `topic: "$SYS/x": what begins with $ is the broker's own`,
		`qos = 3`:                    "qos: want 0, 1 or 2, have 3",
		`qos = 0`:                    "note: qos = 0: nobody acknowledges the rows of [sink.hub], and a connection that breaks may lose some; qos = 1 has each arrive",
		`format = "csv"`:             `format: want "json", have "csv"`,
		`timeout = "0s"`:             "timeout: want a duration above 0; without one a broker that acknowledges nothing would stop the sink for ever",
		`max_packet_size = "300MiB"`: "max_packet_size: want a size above 0, and at most 268369904B, which is all that MQTT can carry",
		`client_id = "x"`:            `client_id is for an external broker; add broker = "tcp://…", or leave it out`,
		"embedded = false":           `[sink.hub] has no broker: add a [broker] table for the embedded one, or broker = "tcp://…"`,
		"qos = 1\nretain = true\npayload = \"mean\"": "",
	} {
		d := conf.Parse("f", []byte("[sink.hub]\n"+strings.TrimPrefix(text, "embedded = false")))
		table := d.Root().Sub("sink").Sub("hub")
		c := Default(&settings{Broker: Embedded})
		e := env(&broker{})
		e.Embedded = text != "embedded = false"
		table.Bind(c.Parts()...)
		c.Check(table, e)
		var said []string
		for _, p := range d.Problems() {
			said = append(said, p.Msg)
		}
		for _, p := range d.Notes() {
			said = append(said, "note: "+p.Msg)
		}
		if got := strings.Join(said, "\n"); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", text, got, want)
		}
	}
}

func TestTheFilterMatchesEveryTopic(t *testing.T) {
	for text, want := range map[string]string{
		"results/{stream}": "results/pins", "results/{stream}/{device}/x": "results/pins/#", "{topic}/avg": "#", "a/b-{x}": "a/#", "a": "a",
	} {
		d := conf.Parse("f", []byte("[sink.hub]\ntopic = \""+text+"\""))
		table := d.Root().Sub("sink").Sub("hub")
		c := Default(&settings{Broker: Embedded})
		table.Bind(c.Parts()...)
		c.Check(table, env(&broker{}))
		if got := c.Filter("pins"); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

func TestEncoding(t *testing.T) {
	c := Default(&settings{Broker: Embedded})
	first := c.Encoding()
	if c.QoS, c.Retain = 2, true; c.Encoding() != first {
		t.Error("how rows are sent changed what they are")
	}
	if c.Payload = "mean"; c.Encoding() == first {
		t.Error("another payload has the same encoding")
	}
	c.Payload = ""
	if c.Topic = "x"; c.Encoding() == first {
		t.Error("another topic has the same encoding")
	}
}
