package broker

import (
	"math"
	"net"
	"net/url"
	"time"

	"edged/internal/conf"
)

// Config is the [broker] table. Without the table no broker is started.
type Config struct {
	Listen            []string      `toml:"listen" doc:"addresses to listen on, as tcp://HOST:PORT; addresses that other machines can reach need allow_anonymous"`
	AllowAnonymous    bool          `toml:"allow_anonymous" doc:"listen where other machines can reach it although nobody has to say who they are"`
	MaxConnections    int           `toml:"max_connections" doc:"clients connected at the same time; further ones are told that the server is busy. Twice as many sessions are kept; past that, the one away longest ends"`
	MaxPacketSize     conf.Size     `toml:"max_packet_size" doc:"largest packet that a client may send; a larger one ends the connection before memory is reserved for it"`
	MaxTopicLevels    int           `toml:"max_topic_levels" doc:"levels of a topic or filter; deeper ones are refused"`
	MaxInflight       int           `toml:"max_inflight" doc:"unacknowledged messages with QoS 1 and 2 of an MQTT 5 connection, in each direction, and towards any subscriber"`
	SessionExpiry     conf.Duration `toml:"session_expiry" doc:"time that the session of a client is kept after it went away: of 3.1.1 clients with a persistent session, and the most that MQTT 5 clients can ask for"`
	ConnectTimeout    conf.Duration `toml:"connect_timeout" doc:"time within which a new connection must have sent its CONNECT"`
	MaxSubscriptions  int           `toml:"max_subscriptions" doc:"filters that one client may subscribe to; further ones are refused (MQTT 5: 0x97)"`
	MaxQueuedMessages int           `toml:"max_queued_messages" doc:"messages with QoS 1 and 2 that are kept for one subscriber, unacknowledged ones included, and 16MiB of payloads; further ones are dropped and counted"`
	MaxRetained       int           `toml:"max_retained" doc:"retained messages; a further one is passed on but not retained (MQTT 5 with QoS 1 and 2: refused, 0x97)"`
	MaxRetainedBytes  conf.Size     `toml:"max_retained_bytes" doc:"bytes of retained messages, which are in memory and in the store; past that as with max_retained"`
}

// Default returns the defaults.
func Default() *Config {
	return &Config{
		Listen:            []string{"tcp://127.0.0.1:1883"},
		MaxConnections:    4096,
		MaxPacketSize:     256 << 10,
		MaxTopicLevels:    32,
		MaxInflight:       256,
		SessionExpiry:     conf.Duration(7 * 24 * time.Hour),
		ConnectTimeout:    conf.Duration(10 * time.Second),
		MaxQueuedMessages: 10000,
		MaxSubscriptions:  1000,
		MaxRetained:       10000,
		MaxRetainedBytes:  16 << 20,
	}
}

// Load binds the [broker] table and reports what is wrong with it on t. It never returns nil.
func Load(t *conf.Table) *Config {
	c := Default()
	t.Bind(c)
	c.check(t)
	return c
}

func (c *Config) check(t *conf.Table) {
	if len(c.Listen) == 0 {
		t.Errorf("listen", `listen: needs at least one address, like "tcp://127.0.0.1:1883"; leave the table out for no broker`)
	}
	for _, l := range c.Listen {
		c.checkListen(t, l)
	}
	t.Unique("listen", c.Listen)
	between(t, "max_connections", c.MaxConnections, 1, 1<<20)
	between(t, "max_topic_levels", c.MaxTopicLevels, 1, 1000)
	between(t, "max_inflight", c.MaxInflight, 1, math.MaxUint16)
	between(t, "max_queued_messages", c.MaxQueuedMessages, 1, 1<<24)
	between(t, "max_subscriptions", c.MaxSubscriptions, 1, 1<<24)
	between(t, "max_retained", c.MaxRetained, 0, 1<<24)
	if c.MaxPacketSize < 128 || c.MaxPacketSize > 256<<20 {
		t.Errorf("max_packet_size", "max_packet_size: want between 128 bytes and 256MiB, the most that MQTT can carry; have %v", c.MaxPacketSize)
	}
	if d := c.SessionExpiry.D(); d < time.Second || d >= math.MaxUint32*time.Second {
		t.Errorf("session_expiry", `session_expiry: want between "1s" and 136 years`)
	}
	if c.ConnectTimeout <= 0 {
		t.Errorf("connect_timeout", "connect_timeout: must be more than 0, or connections that never say anything stay for ever")
	}
}

func between(t *conf.Table, key string, have, low, high int) {
	if have < low || have > high {
		t.Errorf(key, "%s: want between %d and %d, have %d", key, low, high, have)
	}
}

func (c *Config) checkListen(t *conf.Table, l string) {
	hostport, wrong := address(l)
	host, _, _ := net.SplitHostPort(hostport)
	switch {
	case wrong != "":
		t.Itemf("listen", "listen: %q %s", l, wrong)
	case conf.Loopback(host):
	case !c.AllowAnonymous:
		t.Itemf("listen", "listen: other machines can reach %s, and whoever can may read and publish everything; "+
			"listen on 127.0.0.1, or write allow_anonymous = true if that is what you want", l)
	default:
		t.Notef("listen", "listen: whoever can reach %s may read and publish everything, because allow_anonymous = true", l)
	}
}

// address takes tcp://HOST:PORT apart and returns the HOST:PORT, or what is wrong with it.
func address(l string) (hostport, wrong string) {
	u, err := url.Parse(l)
	switch {
	case err != nil:
		return "", `is not an address; write "tcp://127.0.0.1:1883"`
	case u.Scheme != "tcp":
		return "", `has to begin with tcp://; write "tcp://127.0.0.1:1883"`
	case u.Port() == "" || u.Path != "" || u.RawQuery != "" || u.User != nil:
		return "", `has to be tcp://HOST:PORT; write "tcp://127.0.0.1:1883"`
	}
	if _, err := net.LookupPort("tcp", u.Port()); err != nil {
		return "", "has a port that is not between 0 and 65535"
	}
	return u.Host, ""
}
