package broker

import (
	"math"
	"net/netip"
	"slices"
	"time"

	"edged/broker/limit"
	"edged/broker/transport"
	"edged/internal/conf"
)

// Config is the [broker] table. Without the table no broker is started.
type Config struct {
	Listen         []string            `toml:"listen" doc:"addresses to listen on: tcp://HOST:PORT, tls://HOST:PORT, ws://HOST:PORT, wss://HOST:PORT, unix:///PATH?mode=0660&user=NAME&group=NAME. What other machines can reach needs password_file, client certificates, or allow_anonymous; with a password_file, clients on this machine have to log in as well"`
	AllowAnonymous bool                `toml:"allow_anonymous" doc:"let clients in that do not say who they are, from everywhere, although there is a password_file or the broker can be reached from other machines. Without a password_file, clients on loopback and unix addresses are let in anyway"`
	PasswordFile   string              `toml:"password_file" doc:"who may come in, in the format of mosquitto_passwd; edged passwd makes entries. Read again when it changes and on SIGHUP: a client whose entry changed is disconnected"`
	ACLFile        string              `toml:"acl_file" doc:"who may publish and read what, in Mosquitto's syntax: lines \"user NAME\" and below it \"topic read|write|readwrite|deny FILTER\"; topic lines before the first user are for clients without a name; \"pattern …\" is for everybody, with %u (user) and %c (client id). What no rule allows is refused: publishes are not acknowledged (MQTT 5: 0x87; 3.1.1: the connection ends), subscriptions get 0x87 or 0x80; a wider filter than allowed brings what is allowed. Without the file everybody may do everything. Read again when it changes and on SIGHUP, also for connected clients"`
	TLS            transport.TLSConfig `toml:"tls" doc:"for tls:// and wss:// addresses"`
	Origins        []string            `toml:"origins" doc:"web pages that may connect to ws:// and wss:// addresses, such as \"https://dash.example.org\"; empty = every page, whoever made it"`

	MaxConnections           int           `toml:"max_connections" doc:"clients connected at the same time; further ones are told that the server is busy. Twice as many sessions are kept; past that, the one away longest ends"`
	MaxConnectionsPerAddress int           `toml:"max_connections_per_address" doc:"connections of one address (IPv6: one network of 64 bits); further ones are closed at once. Does not apply to loopback unless it is set; 0 = no limit"`
	ConnectsPerSecond        int           `toml:"connects_per_second" doc:"new connections of one address in the long run, twice as many at once; further ones are closed at once. Does not apply to loopback unless it is set; 0 = no limit"`
	ConnectTimeout           conf.Duration `toml:"connect_timeout" doc:"time within which a new connection must have sent its CONNECT, TLS handshake included; then it is closed"`
	MaxFailedLogins          int           `toml:"max_failed_logins" doc:"failed logins of one address a minute; past that, all logins from there are refused unchecked for some seconds (MQTT 5: 0x9F; 3.1.1: 5). Does not apply to loopback unless it is set"`
	MaxKeepalive             conf.Duration `toml:"max_keepalive" doc:"longest keepalive, and the one of clients that ask for none; MQTT 5 clients are told, 3.1.1 clients keep what they asked for, and TCP finds out whether they are gone"`
	MaxPacketSize            conf.Size     `toml:"max_packet_size" doc:"largest packet that a client may send; a larger one ends the connection before memory is reserved for it (MQTT 5: 0x95)"`
	MaxTopicLength           int           `toml:"max_topic_length" doc:"bytes of a topic or filter; longer ones are refused (MQTT 5: 0x90, 0x8F)"`
	MaxTopicLevels           int           `toml:"max_topic_levels" doc:"levels of a topic or filter; deeper ones are refused (MQTT 5: 0x90, 0x8F)"`
	MaxSubscriptions         int           `toml:"max_subscriptions" doc:"filters that one client may subscribe to; further ones are refused (MQTT 5: 0x97)"`
	MaxMessageRate           conf.Rate     `toml:"max_message_rate" doc:"publishes of one client, such as \"500/s\"; a faster one is read more slowly, and loses nothing. \"\" = no limit"`
	MaxInflight              int           `toml:"max_inflight" doc:"unacknowledged messages with QoS 1 and 2 of an MQTT 5 connection in each direction, and towards any subscriber; a client that sends more is disconnected (0x93), further deliveries wait"`
	SessionExpiry            conf.Duration `toml:"session_expiry" doc:"time that the session of a client is kept after it went away, not counting the time that edged does not run: of 3.1.1 clients with a persistent session, and the most that MQTT 5 clients can ask for"`
	MaxQueuedMessages        int           `toml:"max_queued_messages" doc:"messages with QoS 1 and 2 that are kept for one subscriber, unacknowledged ones included; further ones are dropped and counted"`
	MaxQueuedBytes           conf.Size     `toml:"max_queued_bytes" doc:"bytes of messages that wait for one subscriber; further ones are dropped and counted"`
	MaxQueuedTotal           conf.Size     `toml:"max_queued_total" doc:"bytes of messages that wait for all subscribers together; past it, those with more than their share get no further ones"`
	MaxWriteBacklog          conf.Size     `toml:"max_write_backlog" doc:"bytes on their way to one client; past it, messages with QoS 0 are dropped for it and counted, and others wait in its queue. A client that reads nothing for a minute is disconnected, after ten seconds if all together need too much"`
	MaxRetained              int           `toml:"max_retained" doc:"retained messages; a further one is passed on but not retained (MQTT 5 with QoS 1 and 2: refused, 0x97)"`
	MaxRetainedBytes         conf.Size     `toml:"max_retained_bytes" doc:"bytes of retained messages, which are in memory and in the store; past that as with max_retained"`

	Dir string `toml:"-"` // where relative files are looked for

	set []string // the limits of addresses that were set: they apply to loopback too
}

// Default returns the defaults.
func Default() *Config {
	return &Config{
		Listen:                   []string{"tcp://127.0.0.1:1883"},
		TLS:                      transport.TLSConfig{User: "cn"},
		MaxConnections:           4096,
		MaxConnectionsPerAddress: 256,
		ConnectsPerSecond:        50,
		ConnectTimeout:           conf.Duration(10 * time.Second),
		MaxFailedLogins:          20,
		MaxKeepalive:             conf.Duration(time.Hour),
		MaxPacketSize:            256 << 10,
		MaxTopicLength:           math.MaxUint16,
		MaxTopicLevels:           32,
		MaxSubscriptions:         1000,
		MaxInflight:              256,
		SessionExpiry:            conf.Duration(7 * 24 * time.Hour),
		MaxQueuedMessages:        10000,
		MaxQueuedBytes:           4 << 20,
		MaxQueuedTotal:           8 << 20,
		MaxWriteBacklog:          256 << 10,
		MaxRetained:              10000,
		MaxRetainedBytes:         16 << 20,
	}
}

// Load binds the [broker] table and reports what is wrong with it on t. Relative files are looked for below dir. It never returns
// nil.
func Load(t *conf.Table, dir string) *Config {
	c := Default()
	c.Dir = dir
	t.Bind(c)
	c.check(t)
	return c
}

// The limits of addresses.
const (
	perAddress   = "max_connections_per_address"
	perSecond    = "connects_per_second"
	failedLogins = "max_failed_logins"
)

// countedAs is whom an address counts for under a limit; loopback only if the limit was set, because everything on this machine
// comes from there.
func (c *Config) countedAs(ip netip.Addr, limitKey string) netip.Addr {
	if ip.Unmap().IsLoopback() && !slices.Contains(c.set, limitKey) {
		return netip.Addr{}
	}
	return limit.Of(ip)
}

// Past backlogsTotal bytes on their way to all clients together each has little room of its own: backlogLively as long as it takes
// what it is sent and all have no more than four times as much, backlogLeast else.
const (
	backlogsTotal = 6 << 20
	backlogLively = 64 << 10
	backlogLeast  = 4 << 10
)

// backlog is the write backlog of a client when so much is on its way to all of them.
func (c *Config) backlog(all int64, lively bool) int {
	switch {
	case all <= backlogsTotal:
		return int(c.MaxWriteBacklog)
	case lively && all <= 4*backlogsTotal:
		return min(backlogLively, int(c.MaxWriteBacklog))
	}
	return min(backlogLeast, int(c.MaxWriteBacklog))
}

// roomFor reports whether a packet can be queued for a client of which have bytes are on their way, and all bytes to all. One packet
// finds room however large it is, unless such packets have used as much again as there is for all.
func (c *Config) roomFor(size, have int, all int64, lively bool) bool {
	return have+size <= c.backlog(all, lively) || have == 0 && all+int64(size) <= 3*backlogsTotal
}

func (c *Config) tls() (*transport.TLS, error) {
	if c.TLS.Cert == "" {
		return nil, nil
	}
	return transport.NewTLS(c.TLS, c.Dir)
}

func between(t *conf.Table, key string, have, low, high int) {
	if have < low || have > high {
		t.Errorf(key, "%s: want between %d and %d, have %d", key, low, high, have)
	}
}

func (c *Config) check(t *conf.Table) {
	between(t, "max_connections", c.MaxConnections, 1, 1<<20)
	between(t, perAddress, c.MaxConnectionsPerAddress, 0, 1<<20)
	between(t, perSecond, c.ConnectsPerSecond, 0, 1<<20)
	between(t, failedLogins, c.MaxFailedLogins, 1, 1<<20)
	between(t, "max_topic_length", c.MaxTopicLength, 16, math.MaxUint16)
	between(t, "max_topic_levels", c.MaxTopicLevels, 1, 1000)
	between(t, "max_inflight", c.MaxInflight, 1, math.MaxUint16)
	between(t, "max_queued_messages", c.MaxQueuedMessages, 1, 1<<24)
	between(t, "max_subscriptions", c.MaxSubscriptions, 1, 1<<24)
	between(t, "max_retained", c.MaxRetained, 0, 1<<24)
	for key, have := range map[string]conf.Size{"max_queued_bytes": c.MaxQueuedBytes, "max_queued_total": c.MaxQueuedTotal, "max_write_backlog": c.MaxWriteBacklog} {
		if have < 4<<10 || have > 1<<30 {
			t.Errorf(key, "%s: want between 4KiB and 1GiB, have %v", key, have)
		}
	}
	if c.MaxPacketSize < 128 || c.MaxPacketSize > 256<<20 {
		t.Errorf("max_packet_size", "max_packet_size: want between 128 bytes and 256MiB, the most that MQTT can carry; have %v", c.MaxPacketSize)
	}
	if d := c.SessionExpiry.D(); d < time.Second || d >= math.MaxUint32*time.Second {
		t.Errorf("session_expiry", `session_expiry: want between "1s" and 136 years`)
	}
	if d := c.MaxKeepalive.D(); d < time.Second || d > math.MaxUint16*time.Second {
		t.Errorf("max_keepalive", `max_keepalive: want between "1s" and 65535 seconds, the most that MQTT can say`)
	}
	if c.ConnectTimeout <= 0 {
		t.Errorf("connect_timeout", "connect_timeout: must be more than 0, or connections that never say anything stay for ever")
	}
	for _, key := range []string{perAddress, perSecond, failedLogins} {
		if t.Has(key) {
			c.set = append(c.set, key)
		}
	}
	c.checkAccess(t)
}
