package configs

import (
	"edged/broker/remote"
	"edged/gpio"
	"edged/internal/conf"
	"edged/receiver"
	"edged/sinks/mqtt"
)

// Publisher is how pins reach an external broker; nil if they do not.
func (c *Config) Publisher() *remote.Config {
	g := c.GPIO
	if g == nil || g.PublishTo == gpio.Embedded {
		return nil
	}
	r := remote.Default()
	r.Broker, r.ClientID, r.Username, r.PasswordFile, r.QoS, r.TLS, r.Dir = g.PublishTo, g.ClientID, g.Username, g.PasswordFile, g.QoS, g.TLS, c.DataDir
	if r.ClientID == "" {
		r.ClientID = remote.DefaultClientID("gpio.publisher") // no receiver can have a name with a dot
	}
	return r
}

// crossClients finds two clients of one broker with the same identifier: the broker would end one connection for the other, for
// ever, and hand the session from one to the other.
func (c *Config) crossClients(t *top) {
	owner := map[[2]string]string{}
	claim := func(sub *conf.Table, r *remote.Access) {
		if r == nil || r.Broker == "" {
			return
		}
		id := [2]string{r.Address(), r.ClientID}
		if other, taken := owner[id]; taken {
			sub.Errorf("client_id", "client_id: %q is the client identifier of [%s] at %s already; each needs its own", r.ClientID, other, r.Broker)
		}
		owner[id] = sub.Title()
	}
	each(t.Receiver, func(sub *conf.Table) {
		for _, r := range c.Receivers {
			if m, ok := r.Config.(*receiver.MQTT); ok && r.Name == sub.Name() && sub.Has("broker") {
				if external, ok := m.Remote.(*remote.Config); ok {
					claim(sub, &external.Access)
				}
			}
		}
	})
	each(t.Sink, func(sub *conf.Table) {
		for _, k := range c.Sinks {
			if m, ok := k.Config.(*mqtt.Config); ok && k.Name == sub.Name() && m.External() != nil {
				external, _ := m.External().(*remote.Access)
				claim(sub, external)
			}
		}
	})
	if g := c.Publisher(); t.GPIO != nil && g != nil {
		claim(t.GPIO, &g.Access)
	}
}
