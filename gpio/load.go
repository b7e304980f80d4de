package gpio

import (
	"net/url"
	"strings"

	"edged/internal/conf"
	"edged/internal/secret"
	"edged/internal/topic"
)

// Load binds [gpio] and every [gpio.pin.NAME], and reports every mistake on t. It is never nil; it may be run only if t's
// document has no problems. A nil table gives the defaults, without pins. dataDir is where secrets are looked for.
func Load(t *conf.Table, dataDir string) *Config {
	c := Default()
	if t == nil {
		return c
	}
	t.Bind(c)
	t.OneOf("driver", c.Driver, "periph", "sim")
	c.checkBroker(t, dataDir)
	c.checkTopic(t)
	if !t.Bad("qos") && (c.QoS < 0 || c.QoS > 2) {
		t.Errorf("qos", "qos: want 0, 1 or 2, have %d", c.QoS)
	}
	c.loadPins(t)
	return c
}

func (c *Config) checkBroker(t *conf.Table, dataDir string) {
	if t.Bad("publish_to") {
		return
	}
	if c.PublishTo == Embedded {
		for _, key := range []string{"client_id", "username", "password_file", "tls"} {
			if t.Has(key) {
				t.Errorf(key, "%s belongs to an external broker: set publish_to, or remove it", key)
			}
		}
		return
	}
	u, err := url.Parse(c.PublishTo)
	switch {
	case err != nil || u.Scheme != "tcp" && u.Scheme != "tls" || u.Hostname() == "" || u.Port() == "" || strings.Trim(u.Path, "/")+u.RawQuery+u.Fragment != "":
		t.Errorf("publish_to", `publish_to: want "embedded", "tcp://HOST:PORT" or "tls://HOST:PORT", have %q`, c.PublishTo)
	case u.User != nil:
		t.Errorf("publish_to", "publish_to: no user or password in the address; use username and password_file")
	case u.Scheme == "tcp" && t.Has("tls"):
		t.Errorf("tls", "tls belongs to a tls:// address, and publish_to is %q", c.PublishTo)
	}
	if c.PasswordFile != "" && c.Username == "" {
		t.Errorf("password_file", "password_file needs username")
	}
	if c.PasswordFile != "" {
		if _, err := secret.Read(c.PasswordFile, dataDir); err != nil {
			t.Placef("password_file", "password_file: %v", err)
		}
	}
	if _, err := c.TLS.Config(dataDir); err != nil {
		t.Placef("tls", "tls: %v", err)
	}
}

// checkTopic checks what does not depend on a pin.
func (c *Config) checkTopic(t *conf.Table) {
	if t.Bad("topic") {
		return
	}
	probe := c.topicOf(&PinConfig{Name: "x", Line: "x"})
	switch err := topic.CheckName(probe); {
	case err != nil:
		t.Errorf("topic", "topic: %v", err)
	case strings.HasPrefix(probe, "$"):
		t.Errorf("topic", "topic: names that begin with $ are the broker's own [MQTT-4.7.2-1]")
	case strings.ContainsAny(probe, "{}"):
		t.Errorf("topic", "topic: %q has braces that are neither {name} nor {line}", c.Topic)
	}
}

func (c *Config) loadPins(t *conf.Table) {
	if t.Bad("pin") {
		return
	}
	if c.Pin == nil || len(c.Pin.Keys()) == 0 {
		t.Notef("", "[gpio] has no pins: write [gpio.pin.NAME] for each")
		return
	}
	owner := map[string]string{} // of a line
	for _, name := range c.Pin.Keys() {
		pt := c.Pin.Sub(name)
		if pt == nil {
			continue
		}
		p := DefaultPin()
		p.Name = name
		pt.Bind(p)
		p.check(pt, c.Driver)
		c.Pins = append(c.Pins, p)
		if strings.ContainsAny(name, "/+#") || name == "" {
			pt.Errorf("", "pin %q: a pin's name is one level of a topic, without / + #", name)
		} else if err := topic.CheckName(c.topicOf(p)); err != nil && !t.Bad("topic") {
			pt.Errorf("", "the topic of pin %q, %q: %v", name, c.topicOf(p), err)
		}
		if other, taken := owner[p.Line]; taken && !pt.Bad("line") {
			pt.Errorf("line", "line: %s is already that of pin %q", p.Line, other)
		}
		owner[p.Line] = name
	}
}
