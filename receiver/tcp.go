package receiver

import (
	"net"
	"strconv"

	"edged"
	"edged/internal/conf"
	"edged/internal/sparse"
)

// TCP is the kind tcp: lines over TCP, from those who connect or from where it connects to (Spark: socketTextStream). TCP has no
// acknowledgement for a line: without ack nobody knows which lines were stored when edged or the network ended, so what was in
// flight then is lost, and is not part of what edged has acknowledged.
type TCP struct {
	Listen         string        `toml:"listen" doc:"HOST:PORT to listen on. There is no authentication: an address that other machines can reach needs allow_anonymous"`
	Dial           string        `toml:"dial" doc:"HOST:PORT to connect to, again and again, instead of listen"`
	Topic          lineTopic     `toml:"topic" doc:"topic of the messages; {name} is the receiver's name, {addr} the peer's address without its port"`
	MaxLine        conf.Size     `toml:"max_line" doc:"a longer line is left out as a whole, and counted"`
	MaxConnections int           `toml:"max_connections" doc:"connections at the same time, with listen: as many from this machine, and as many from others; one too many is closed at once"`
	IdleTimeout    conf.Duration `toml:"idle_timeout" doc:"a connection on which nothing came for so long is closed; \"\" is never"`
	AllowAnonymous bool          `toml:"allow_anonymous" doc:"listen on an address that other machines can reach, and take lines from everybody who can reach it"`
	Ack            bool          `toml:"ack" doc:"answer every line, in order: \"ok\" when it is stored (or was empty), \"too long\" if it was left out; a peer that has no \"ok\" sends the line again. Without it a peer is only slowed down, and what was in flight at a crash is lost"`

	name      string
	listening func(net.Addr) // a test is told where it listens
}

// DefaultTCP returns the defaults.
func DefaultTCP() *TCP {
	return &TCP{Topic: "lines/{name}", MaxLine: 64 << 10, MaxConnections: 64}
}

// Fields implements Config.
func (c *TCP) Fields() []any { return []any{c} }

// Check implements Config.
func (c *TCP) Check(t *conf.Table, env Env) {
	c.name = env.Name
	switch {
	case t.Bad("listen") || t.Bad("dial"):
	case c.Listen == "" && c.Dial == "":
		t.Errorf("listen", `[%s] needs listen = "127.0.0.1:9999", or dial = "HOST:9999"`, t.Title())
	case c.Listen != "" && c.Dial != "":
		t.Errorf("dial", "dial: there is listen already; a receiver does one of the two")
	case c.Listen != "":
		c.checkListen(t)
	default:
		if host, _, ok := hostPort(c.Dial); !ok || host == "" {
			t.Errorf("dial", `dial: %q is not an address; write HOST:PORT, such as "192.168.1.10:9999"`, c.Dial)
		}
		for _, key := range []string{"max_connections", "allow_anonymous"} {
			if t.Has(key) {
				t.Errorf(key, "%s goes with listen; leave it out", key)
			}
		}
	}
	c.Topic.check(t, "{name}", "{addr}")
	checkMaxLine(t, c.MaxLine)
	if c.MaxConnections < 1 {
		t.Errorf("max_connections", "max_connections: it must be at least 1")
	}
	if c.IdleTimeout < 0 {
		t.Errorf("idle_timeout", "idle_timeout: it cannot be negative")
	}
}

func (c *TCP) checkListen(t *conf.Table) {
	host, _, ok := hostPort(c.Listen)
	switch {
	case !ok:
		t.Errorf("listen", `listen: %q is not an address; write HOST:PORT, such as "127.0.0.1:9999"`, c.Listen)
	case conf.Loopback(host):
	case !c.AllowAnonymous && !t.Bad("allow_anonymous"):
		t.Errorf("listen", "listen: other machines can reach %s, and whoever can may send everything; listen on 127.0.0.1, or write allow_anonymous = true if that is what you want", c.Listen)
	default:
		t.Notef("listen", "listen: whoever can reach %s may send everything, because allow_anonymous = true", c.Listen)
	}
}

// hostPort takes HOST:PORT apart; the port is a number.
func hostPort(s string) (host, port string, ok bool) {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return "", "", false
	}
	_, err = strconv.ParseUint(port, 10, 16)
	return host, port, err == nil
}

// Covers implements Config.
func (c *TCP) Covers() []string { return []string{c.Topic.covers(c.name)} }

// New implements Config.
func (c *TCP) New(env Env) edged.Receiver {
	r := &tcp{TCP: *c, name: env.Name, log: env.Log, say: sparse.New(env.Log, notLogged), met: newLineMeters(env)}
	if c.Dial != "" {
		return (*dialer)(r)
	}
	return (*listener)(r)
}
