package transport

import (
	"crypto/tls"
	"os"
	"strings"
	"testing"
	"time"

	"edged/test/await"
)

// leafOf is the end of the certificate that a server shows.
func leafOf(t *testing.T, s *server, config *tls.Config) time.Time {
	t.Helper()
	c := s.dial(t, config).(*tls.Conn)
	s.conn(t)
	return c.ConnectionState().PeerCertificates[0].NotAfter
}

func TestReloadChangesTheCertificateAndDropsNobody(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	both := a.tls(TLSConfig{})
	s := serve(t, "tls://127.0.0.1:0", Options{TLS: both}, await.Patience)
	peer := s.dial(t, a.trusts())
	c := s.conn(t)
	before := both.Expires()
	if at := leafOf(t, s, a.trusts()); !at.Equal(before) {
		t.Errorf("shows one that ends at %v, has one that ends at %v", at, before)
	}

	a.server("server", 5*time.Hour)
	if err := both.Reload(); err != nil {
		t.Fatal(err)
	}
	after := leafOf(t, s, a.trusts())
	if !after.After(before) || !after.Equal(both.Expires()) {
		t.Errorf("before %v, after %v, Expires %v", before, after, both.Expires())
	}
	say(t, peer, c, "still connected")

	for _, broken := range []string{"server.key", "server.crt"} {
		if err := os.WriteFile(a.file(broken), []byte("half a fi"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := both.Reload(); err == nil || !strings.Contains(err.Error(), broken) {
			t.Errorf("reload: %v", err)
		}
		if at := leafOf(t, s, a.trusts()); !at.Equal(after) || !both.Expires().Equal(after) {
			t.Errorf("a reload that failed changed the certificate")
		}
	}
	say(t, c, peer, "and still")
}

// TestASessionIsNotResumedUnderAnotherCA: or a certificate that the new CA does not vouch for would still count.
func TestASessionIsNotResumedUnderAnotherCA(t *testing.T) {
	t.Parallel()
	a, other := newAuthority(t), newAuthority(t)
	mine := a.client(nameOnly("lamp"))
	config := a.tls(TLSConfig{ClientCA: "ca.crt", Require: true})
	s := serve(t, "tls://127.0.0.1:0", Options{TLS: config}, await.Patience)
	peer := a.trusts(mine)
	peer.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	for _, resumed := range []bool{false, true} {
		c := s.dial(t, peer).(*tls.Conn)
		conn := s.conn(t)
		say(t, conn, c, "x") // the ticket comes before it
		if c.ConnectionState().DidResume != resumed || conn.User != "lamp" || !conn.HasCertificate {
			t.Fatalf("resumed: %v; user %q", !resumed, conn.User)
		}
	}
	trust(t, a, other)
	if err := config.Reload(); err != nil {
		t.Fatal(err)
	}
	c := s.dial(t, peer).(*tls.Conn) // in TLS 1.3 the client learns later that it is refused
	if err := s.failure(t); c.ConnectionState().DidResume || !strings.Contains(err.Error(), "unknown authority") {
		t.Errorf("resumed %v, %v", c.ConnectionState().DidResume, err)
	}
}

// trust has a vouch for other's clients, not its own.
func trust(t *testing.T, a, other *authority) {
	t.Helper()
	pem, err := os.ReadFile(other.file("ca.crt"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(a.file("ca.crt"), pem, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestVersionsAndProtocols(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	for _, scheme := range []string{"tls", "wss"} {
		s := serve(t, scheme+"://127.0.0.1:0", Options{TLS: a.tls(TLSConfig{})}, await.Patience)
		for _, protocol := range []string{"mqtt", "http/1.1", "h2"} {
			c := a.trusts()
			c.NextProtos = []string{protocol}
			conn, err := tls.Dial("tcp", s.Addr().String(), c)
			if ok := protocol == "mqtt" || protocol == "http/1.1" && scheme == "wss"; ok != (err == nil) {
				t.Errorf("%s, %s: %v", scheme, protocol, err)
			}
			if err == nil {
				if got := conn.ConnectionState().NegotiatedProtocol; got != protocol {
					t.Errorf("%s: %q in place of %q", scheme, got, protocol)
				}
				_ = conn.Close()
			}
		}
		for _, version := range []uint16{tls.VersionTLS10, tls.VersionTLS11, tls.VersionTLS12, tls.VersionTLS13} {
			c := a.trusts()
			c.MinVersion, c.MaxVersion = version, version
			conn, err := tls.Dial("tcp", s.Addr().String(), c)
			if (version >= tls.VersionTLS12) != (err == nil) {
				t.Errorf("%s, %s: %v", scheme, tls.VersionName(version), err)
			}
			if err == nil {
				_ = conn.Close()
			}
		}
	}
}

func TestWhatTLSCannotBeMadeOf(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	good := TLSConfig{Cert: "server.crt", Key: "server.key"}
	for say, change := range map[string]func(*TLSConfig){
		"cert and key are both needed":             func(c *TLSConfig) { c.Key = "" },
		"needs client_ca":                          func(c *TLSConfig) { c.Require = true },
		`want "cn", "subject" or "san", have "dn"`: func(c *TLSConfig) { c.User = "dn" },
		"nowhere.crt":                              func(c *TLSConfig) { c.Cert = "nowhere.crt" },
		"private key does not match":               func(c *TLSConfig) { c.Key = "ca.key" },
		"server.key has no certificate":            func(c *TLSConfig) { c.ClientCA = "server.key" },
		"cannot read " + a.file("nowhere.crt"):     func(c *TLSConfig) { c.ClientCA = "nowhere.crt" },
	} {
		c := good
		change(&c)
		if _, err := NewTLS(c, a.dir); err == nil || !strings.Contains(err.Error(), say) {
			t.Errorf("%+v: %v", c, err)
		}
	}
	address, _ := Parse("tls://127.0.0.1:0")
	if _, err := Listen(address, Options{}); err == nil || !strings.Contains(err.Error(), "tls.cert") {
		t.Errorf("without a certificate: %v", err)
	}
}
