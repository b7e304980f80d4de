package mqtt

import (
	"strings"

	"edged/internal/conf"
	"edged/internal/topic"
	"edged/sinks/spec"
	"edged/sinks/template"
)

// Check reports what is wrong with the values. It connects to nothing.
func (c *Config) Check(t *conf.Table, env spec.Env) {
	c.checkTopic(t)
	t.OneOf("format", c.Format, "json")
	switch {
	case c.QoS < 0 || c.QoS > 2:
		t.Errorf("qos", "qos: want 0, 1 or 2, have %d", c.QoS)
	case c.QoS == 0:
		t.Notef("qos", "qos = 0: nobody acknowledges the rows of [%s], and a connection that breaks may lose some; qos = 1 has each arrive", t.Title())
	}
	if c.MaxPacketSize < 1 || c.MaxPacketSize > maxPacket {
		t.Errorf("max_packet_size", "max_packet_size: want a size above 0, and at most %v, which is all that MQTT can carry", conf.Size(maxPacket))
	}
	if c.Timeout <= 0 {
		t.Errorf("timeout", "timeout: want a duration above 0; without one a broker that acknowledges nothing would stop the sink for ever")
	}
	if c.External() != nil {
		c.Remote.Check(t, "sink."+env.Name, env.DataDir) // no receiver can have a name with a dot
		return
	}
	for _, key := range []string{"client_id", "username", "password_file", "tls"} {
		if t.Has(key) {
			t.Errorf(key, `%s is for an external broker; add broker = "tcp://…", or leave it out`, key)
		}
	}
	if !env.Embedded {
		t.Errorf("broker", `[%s] has no broker: add a [broker] table for the embedded one, or broker = "tcp://…"`, t.Title())
	}
}

// maxPacket is the largest packet (MQTT 3.1.1, 2.2.3), less what is around the payload.
const maxPacket = 268435455 - topic.MaxLen - 16

func (c *Config) checkTopic(t *conf.Table) {
	p, err := template.Parse(c.Topic)
	switch {
	case c.Topic == "":
		t.Errorf("topic", `topic: name the topic to publish to, for example topic = "results/{stream}"`)
		return
	case err != nil:
		t.Errorf("topic", "topic: %q: %v", c.Topic, err)
		return
	case strings.HasPrefix(c.Topic, "$"):
		t.Errorf("topic", "topic: %q: what begins with $ is the broker's own", c.Topic)
		return
	}
	if err := topic.CheckName(c.Topic); err != nil { // braces are harmless
		t.Errorf("topic", "topic: %q: %v", c.Topic, err)
		return
	}
	c.template = p
}

// Named implements spec.Names.
func (c *Config) Named() (list []spec.Named) {
	if c.template != nil {
		list = spec.NamedIn("topic", c.template.Columns(), true)
	}
	if c.Payload != "" {
		list = append(list, spec.Named{Key: "payload", Column: c.Payload, Filled: true})
	}
	return list
}

// Filter is a topic filter that matches all topics to which the rows of a stream are published; "" if the topic is no template.
func (c *Config) Filter(stream string) string {
	if c.template == nil {
		return ""
	}
	prefix, whole := c.template.Prefix(stream)
	if whole {
		return prefix
	}
	return prefix[:strings.LastIndexByte(prefix, '/')+1] + "#" // a value can make levels
}
