package broker

import "edged/broker/wire"

// checking bounds how many passwords are checked at the same time: each check is made to take long.
const checking = 2

// login finds out who the client is. The error is a *wire.Error, or
// errClosed.
//
// A verified certificate says who somebody is. Otherwise the password file does; without one nobody can say who they are, and
// everybody is anonymous, whatever user name they send.
func (c *conn) login(p *wire.Connect) error {
	passwords := c.b.access.passwords.Load()
	from := c.b.cfg.countedAs(c.ip, failedLogins)
	switch {
	case c.net.HasCertificate:
		c.user = c.net.User
		return nil
	case passwords == nil:
		return nil
	case !p.HasUser && c.b.cfg.AllowAnonymous:
		return nil
	}
	right, ok := c.b.failures.Reserve(from) // before the check: many at the same moment are many
	if !ok {
		c.b.met.badLogin.Inc()
		c.b.seldom.Warn("failures", "broker: logins from an address are refused for a while, because too many have failed (max_failed_logins)", "from", c.from)
		return &wire.Error{Code: wire.ConnectionRateTooHigh, Why: "a login when too many from its address had failed (max_failed_logins)"}
	}
	select {
	case c.b.checks <- struct{}{}:
	case <-c.done:
		return errClosed
	}
	entry, known := passwords.Entry(p.User)
	fits := p.HasUser && passwords.Check(p.User, string(p.Password))
	<-c.b.checks
	if fits && known {
		right()
		c.user, c.entry = p.User, entry
		return nil
	}
	c.b.met.badLogin.Inc()
	if !p.HasUser {
		return &wire.Error{Code: wire.NotAuthorized, Why: "no user name, and password_file asks for one"}
	}
	return &wire.Error{Code: wire.BadLogin, Why: "a user name or password that is not in password_file (edged passwd --check FILE USER)"}
}
