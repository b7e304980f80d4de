package broker

import (
	"slices"
	"strings"

	"edged/broker/transport"
	"edged/internal/conf"
	"edged/internal/secret"
)

// checkAccess checks who can reach the broker, and what they have to show.
func (c *Config) checkAccess(t *conf.Table) {
	c.checkFiles(t)
	t.OneOf("tls", c.TLS.User, "cn", "subject", "san")
	if len(c.Listen) == 0 {
		t.Errorf("listen", `listen: needs at least one address, like "tcp://127.0.0.1:1883"; leave the table out for no broker`)
	}
	secure, places := false, map[string]string{}
	for _, l := range c.Listen {
		a, err := transport.Parse(l)
		if err != nil {
			t.Itemf("listen", "listen: %q %v", l, err)
			continue
		}
		secure = secure || a.TLS()
		if a.Host != "" && !strings.HasSuffix(a.Host, ":0") {
			if other, taken := places[a.Host]; taken && other != l {
				t.Itemf("listen", "listen: %s and %s are the same place; each needs a port of its own", other, l)
			}
			places[a.Host] = l
		}
		if a.TLS() && c.TLS.Cert == "" {
			t.Itemf("listen", `listen: %s needs a certificate: add tls = { cert = "…", key = "…" }`, l)
		}
		c.checkReach(t, l, a)
	}
	t.Unique("listen", c.Listen)
	if t.Has("tls") && !secure {
		t.Notef("tls", "tls: no address under listen begins with tls:// or wss://, so it is not used")
	}
}

// checkReach says what it means that other machines can reach an address.
func (c *Config) checkReach(t *conf.Table, l string, a transport.Address) {
	if strings.HasPrefix(l, "ws") && len(c.Origins) == 0 && c.PasswordFile == "" {
		t.Notef("listen", "listen: every web page that is opened on this machine can connect to %s; name those that may under origins, or add a password_file", l)
	}
	known := c.PasswordFile != "" || a.TLS() && c.TLS.Require
	switch {
	case a.Local():
	case !known && !c.AllowAnonymous:
		t.Itemf("listen", "listen: other machines can reach %s, and whoever can may read and publish everything; "+
			"add a password_file (edged passwd), listen on 127.0.0.1, or write allow_anonymous = true if that is what you want", l)
	case c.AllowAnonymous && c.ACLFile == "":
		t.Notef("listen", "listen: whoever can reach %s may read and publish everything, because allow_anonymous = true", l)
	case c.AllowAnonymous:
		t.Notef("listen", "listen: whoever can reach %s may do what acl_file allows clients without a user name, because allow_anonymous = true", l)
	case c.ACLFile == "":
		t.Notef("listen", "listen: every client that logs in at %s may read and publish everything, because there is no acl_file", l)
	case !a.TLS():
		t.Notef("listen", "listen: passwords and messages travel to %s readable for everyone on the way; tls:// hides them", l)
	}
}

// checkFiles reads what is named, as the start does.
func (c *Config) checkFiles(t *conf.Table) {
	if c.PasswordFile != "" {
		if _, err := readPasswords(secret.Find(c.PasswordFile, c.Dir)); err != nil {
			t.Placef("password_file", "password_file: %v", err)
		}
	}
	if c.ACLFile != "" {
		if _, err := readRules(secret.Find(c.ACLFile, c.Dir)); err != nil {
			t.Placef("acl_file", "acl_file: %v", err)
		}
		if c.PasswordFile == "" && c.TLS.ClientCA == "" {
			t.Notef("acl_file", "acl_file: nobody can say who they are without password_file or client certificates, so only the rules for clients without a user name apply, and patterns with %%c")
		}
	}
	keys := []string{c.TLS.Cert, c.TLS.Key}
	switch {
	case slices.Contains(keys, "") && c.TLS.Cert != c.TLS.Key:
		t.Errorf("tls", "tls: cert and key belong together")
	case c.TLS.Cert == "" && (c.TLS.ClientCA != "" || c.TLS.Require):
		t.Errorf("tls", "tls: client certificates need cert and key of the broker")
	case c.TLS.Require && c.TLS.ClientCA == "":
		t.Errorf("tls", "tls: require_client_cert needs client_ca, or no certificate could be right")
	default:
		if _, err := c.tls(); err != nil {
			t.Placef("tls", "tls: %v", err)
		}
	}
}
