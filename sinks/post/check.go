package post

import (
	"net/url"
	"slices"
	"strings"

	"edged/internal/conf"
	"edged/internal/secret"
	"edged/sinks/spec"
)

// Check reports what is wrong with the values, and with the sink's url, and files that cannot be read. It connects to nothing. It returns
// the URL, nil if it is none.
func (c *Config) Check(t *conf.Table, env spec.Env, address string) *url.URL {
	t.OneOf("compress", c.Compress, "none", "gzip")
	if c.BatchRows < 1 {
		t.Errorf("batch_rows", "batch_rows: want 1 or more")
	}
	if c.BatchBytes < 1 {
		t.Errorf("batch_bytes", "batch_bytes: want a size above 0")
	}
	if c.BatchAge < 0 {
		t.Errorf("batch_age", "batch_age: want 0 or more")
	}
	if c.MaxPacketSize < 1 {
		t.Errorf("max_packet_size", "max_packet_size: want a size above 0")
	}
	if c.Timeout <= 0 {
		t.Errorf("timeout", "timeout: want a duration above 0; a request without one could hang for ever")
	}
	u := checkURL(t, address)
	c.checkHeaders(t)
	credential := c.checkSecrets(t, env)
	c.checkTLS(t, env, u)
	if u != nil && u.Scheme == "http" && credential != "" && !conf.Loopback(u.Hostname()) {
		t.Notef(credential, "%s is sent over plain http to %s: anybody on the way can read it; use https", credential, u.Host)
	}
	return u
}

func checkURL(t *conf.Table, address string) *url.URL {
	if address == "" {
		t.Errorf("url", "[%s] needs url: where to post", t.Title())
		return nil
	}
	u, err := url.Parse(address)
	switch {
	case err != nil:
		t.Errorf("url", "url: this is no URL: %v", bare(err))
	case u.Scheme != "http" && u.Scheme != "https":
		t.Errorf("url", "url: want http:// or https://, have %q", bareURL(u))
	case u.Hostname() == "":
		t.Errorf("url", "url: %q names no host", address)
	case u.User != nil:
		t.Errorf("url", "url: no user or password here; use basic = { username, password_file }")
	default:
		return u
	}
	return nil
}

// bareURL is a URL without what may be a secret in it.
func bareURL(u *url.URL) string {
	bare := *u
	bare.User, bare.RawQuery, bare.Fragment = nil, "", ""
	return bare.String()
}

// own are the headers that the sink sets itself.
var own = []string{"Content-Type", "Content-Encoding", "Content-Length", "Transfer-Encoding", "Idempotency-Key"}

func (c *Config) checkHeaders(t *conf.Table) {
	for _, h := range c.Headers {
		is := func(name string) bool { return strings.EqualFold(name, h.Key) }
		switch {
		case !validName(h.Key):
			t.Errorf("headers", "headers: %q is no name of a header", h.Key)
		case !ValidValue(h.Value):
			t.Errorf("headers", "headers: the value of %s has characters that no header may have", h.Key)
		case slices.ContainsFunc(own, is):
			t.Errorf("headers", "headers: %s is set by edged", h.Key)
		case is("Authorization") && (c.TokenFile != "" || c.Basic != Basic{}):
			t.Errorf("headers", "headers: Authorization comes from token_file or basic already")
		}
	}
}

// checkSecrets returns the key that a credential comes from, "" if there is none.
func (c *Config) checkSecrets(t *conf.Table, env spec.Env) (key string) {
	switch {
	case c.TokenFile != "" && c.Basic != Basic{}:
		t.Errorf("basic", "basic: either token_file or basic, not both")
	case c.TokenFile != "":
		if _, err := secret.Read(c.TokenFile, env.DataDir); err != nil {
			t.Placef("token_file", "token_file: %v", err)
		}
		return "token_file"
	case c.Basic != Basic{}:
		switch {
		case c.Basic.Username == "" || c.Basic.PasswordFile == "":
			t.Errorf("basic", "basic: want both username and password_file")
		case strings.Contains(c.Basic.Username, ":"):
			t.Errorf("basic", "basic: a username has no colon (RFC 7617)")
		default:
			if _, err := secret.Read(c.Basic.PasswordFile, env.DataDir); err != nil {
				t.Placef("basic", "basic.password_file: %v", err)
			}
		}
		return "basic"
	case slices.ContainsFunc(c.Headers, func(h conf.Pair) bool { return strings.EqualFold(h.Key, "Authorization") }):
		return "headers"
	}
	return ""
}

func (c *Config) checkTLS(t *conf.Table, env spec.Env, u *url.URL) {
	if c.TLS == (secret.TLS{}) {
		return
	}
	if u != nil && u.Scheme == "http" {
		t.Notef("tls", "tls has no effect: url begins with http://")
	}
	if _, err := c.TLS.Config(env.DataDir); err != nil {
		t.Placef("tls", "tls: %v", err)
	}
}
