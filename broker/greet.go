package broker

import (
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"edged/broker/wire"

	"golang.org/x/time/rate"
)

// maxConnect is the largest CONNECT: one will as large as it can be, and more than enough for the rest.
const maxConnect = 80 << 10

// tlsHello is the first byte of a TLS connection (RFC 8446, 5.1).
const tlsHello = 0x16

// maxClientID is the longest client identifier, in bytes: it is kept as long as the session.
const maxClientID = 1024

// greet reads the CONNECT and answers it. Without an error the session is established.
func (c *conn) greet() error {
	f, err := c.in.next(min(maxConnect, int(c.b.cfg.MaxPacketSize)))
	if err != nil {
		if c.in.r < c.in.w && c.in.buf[c.in.r] == tlsHello {
			err = &wire.Error{Code: wire.Malformed, Why: "TLS to an address that does not speak it: use the tls:// one"}
		}
		return err
	}
	if c.frame = f; f.Type() != wire.CONNECT {
		return &wire.Error{Code: wire.ProtocolError, Why: "something else before its CONNECT [MQTT-3.1.0-1]"}
	}
	p, err := wire.DecodeConnect(f.Body)
	if c.frame.Body = nil; len(f.Body) > smallBuffer { // it has a password; and strangers shall not hold much while they wait
		part := c.b.partials.begin(c, len(f.Body))
		defer part.end()
	}
	c.in.release()
	if p == nil {
		return err
	}
	c.version, c.claimed, c.claimedUser = p.Version, p.ClientID, p.User
	if err == nil {
		err = c.admit(p)
	}
	if err != nil {
		return c.turnAway(err)
	}
	if c.will = willOf(p); c.will != nil {
		if err := c.b.deposits.take(c.will.size(), c.will.size()); err != nil {
			c.will = nil
			return c.turnAway(err)
		}
	}
	c.settle(p)
	c.b.sessions.await(p.ClientID, c)
	if err := c.b.sessions.establish(c, p); err != nil {
		return c.turnAway(err)
	}
	return nil
}

// turnAway answers a CONNECT with the reason for which it is refused, and returns it. Where 3.1.1 has no code that says it, the
// connection just ends [MQTT-3.1.4-1].
func (c *conn) turnAway(err error) error {
	var wrong *wire.Error
	if !errors.As(err, &wrong) {
		return err
	}
	if c.v5() || wrong.Code != wire.Malformed && wrong.Code != wire.ProtocolError && wrong.Code != wire.BadTopic {
		c.put(func(b []byte) []byte { return (&wire.Connack{Code: wrong.Code}).Append(b, c.v5()) })
		c.mu.Lock()
		c.polite = true
		c.mu.Unlock()
	}
	return err
}

// admit decides whether the client may come in. The error is a *wire.Error.
func (c *conn) admit(p *wire.Connect) error {
	switch {
	case p.AuthMethod:
		return &wire.Error{Code: wire.BadAuthMethod, Why: "an Authentication Method; the gateway knows user names with passwords, and certificates"}
	case p.ClientID == "" && !p.Clean && !c.v5():
		return &wire.Error{Code: wire.BadClientID, Why: "no client identifier, and wants to keep its session [MQTT-3.1.3-8]"}
	case len(p.ClientID) > maxClientID:
		return &wire.Error{Code: wire.BadClientID, Why: fmt.Sprintf("a client identifier of more than %d bytes", maxClientID)}
	}
	if err := c.login(p); err != nil {
		return err
	}
	if p.Will != nil {
		if err := c.b.routes.check(p.Will.Topic); err != nil {
			return &wire.Error{Code: wire.BadTopic, Why: fmt.Sprint("a will to a topic that cannot be published to: ", err)}
		}
		if !c.b.access.profile(c.user, p.ClientID).MayWrite(p.Will.Topic) {
			c.b.met.denied.Inc()
			return &wire.Error{Code: wire.NotAuthorized, Why: "a will to a topic that acl_file does not let it publish to"}
		}
	}
	if c.b.sessions.full(p.ClientID) {
		c.b.met.refusedConns.Inc()
		return &wire.Error{Code: wire.ServerBusy, Why: fmt.Sprintf("a CONNECT when max_connections (%d) others were connected; raise it if these are yours", c.b.cfg.MaxConnections)}
	}
	return nil
}

// settle takes over what the CONNECT asks for, as far as it gets it.
func (c *conn) settle(p *wire.Connect) {
	c.receiveMax = min(int(p.ReceiveMaximum), c.b.cfg.MaxInflight)
	if c.maxPacket = int(p.MaxPacketSize); c.maxPacket == 0 {
		c.maxPacket = wire.MaxPacket + 5
	}
	c.named.max = min(p.AliasMaximum, topicAliases)
	if n := float64(c.b.cfg.MaxMessageRate); n > 0 {
		c.rate = rate.NewLimiter(rate.Limit(n), max(1, int(n)))
	}
	c.keepalive(c.grantedKeepalive(p))
}

// grantedKeepalive is what the client asked for, or less. Only MQTT 5 clients can be told [MQTT-3.1.2-21]; 3.1.1 clients get
// what they asked for, and TCP's own keepalive finds those that are gone.
func (c *conn) grantedKeepalive(p *wire.Connect) uint16 {
	if limit := uint16(c.b.cfg.MaxKeepalive.D().Seconds()); c.v5() && (p.KeepAlive == 0 || p.KeepAlive > limit) {
		return limit
	}
	return p.KeepAlive
}

// connack is the answer to a CONNECT that was accepted.
func (c *conn) connack(p *wire.Connect, present bool) *wire.Connack {
	a := &wire.Connack{
		Present: present, ReceiveMaximum: uint16(c.b.cfg.MaxInflight), MaxPacketSize: uint32(c.b.cfg.MaxPacketSize), AliasMaximum: topicAliases,
	}
	if p.ClientID == "" {
		a.AssignedClientID = c.session.id // [MQTT-3.2.2-16]
	}
	if limit := uint32(c.b.cfg.SessionExpiry.D().Seconds()); p.SessionExpiry > limit {
		a.SessionExpiry, a.HasExpiry = limit, true
	}
	if k := c.grantedKeepalive(p); k != p.KeepAlive {
		a.KeepAlive, a.HasKeepAlive = k, true
	}
	return a
}

// newClientID names a client that has no name of its own [MQTT-3.1.3-6].
func newClientID() string { return "auto-" + strings.ToLower(rand.Text()) }
