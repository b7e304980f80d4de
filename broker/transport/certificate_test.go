package transport

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"edged/test/await"
)

func nameOnly(cn string) x509.Certificate {
	return x509.Certificate{Subject: pkix.Name{CommonName: cn}}
}

func TestTheUserNameOfACertificate(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	full := x509.Certificate{
		Subject:        pkix.Name{CommonName: "lamp", Organization: []string{"Works, Ltd"}},
		EmailAddresses: []string{"lamp@example.org"}, DNSNames: []string{"lamp.example.org"}, URIs: []*url.URL{{Scheme: "urn", Opaque: "lamp"}},
	}
	dns, uri := full, full
	dns.EmailAddresses, uri.EmailAddresses, uri.DNSNames = nil, nil, nil
	for _, x := range []struct {
		form, want string
		cert       x509.Certificate
	}{
		{"", "lamp", full},
		{"cn", "lamp", full},
		{"subject", `CN=lamp,O=Works\, Ltd`, full},
		{"san", "lamp@example.org", full},
		{"san", "lamp.example.org", dns},
		{"san", "urn:lamp", uri},
	} {
		for _, scheme := range []string{"tls", "wss"} {
			s := serve(t, scheme+"://127.0.0.1:0", Options{TLS: a.tls(TLSConfig{ClientCA: "ca.crt", User: x.form})}, await.Patience)
			s.dial(t, a.trusts(a.client(x.cert)))
			if c := s.conn(t); c.User != x.want || !c.HasCertificate {
				t.Errorf("%s: %q, want %q", x.form, c.User, x.want)
			}
		}
	}
}

func TestACertificateIsOptionalUnlessRequired(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	optional := serve(t, "tls://127.0.0.1:0", Options{TLS: a.tls(TLSConfig{ClientCA: "ca.crt"})}, await.Patience)
	optional.dial(t, a.trusts())
	if c := optional.conn(t); c.User != "" || c.HasCertificate {
		t.Errorf("%q", c.User)
	}
	required := serve(t, "tls://127.0.0.1:0", Options{TLS: a.tls(TLSConfig{ClientCA: "ca.crt", Require: true})}, await.Patience)
	required.dial(t, a.trusts(a.client(nameOnly("lamp"))))
	if c := required.conn(t); c.User != "lamp" {
		t.Errorf("%q", c.User)
	}
	required.dial(t, a.trusts())
	if err := required.failure(t); !strings.Contains(err.Error(), "didn't provide a certificate") {
		t.Error(err)
	}
}

func TestCertificatesThatAreRefused(t *testing.T) {
	t.Parallel()
	a, other := newAuthority(t), newAuthority(t)
	expired := nameOnly("lamp")
	expired.NotAfter = time.Now().Add(-time.Hour)
	forServers, err := tls.LoadX509KeyPair(a.file("server.crt"), a.file("server.key"))
	if err != nil {
		t.Fatal(err)
	}
	for say, x := range map[string]struct {
		form string
		cert tls.Certificate
	}{
		"expired":                {"cn", a.client(expired)},
		"unknown authority":      {"cn", other.client(nameOnly("lamp"))},
		"incompatible key usage": {"cn", forServers},
		"no common name":         {"cn", a.client(x509.Certificate{DNSNames: []string{"lamp"}})},
		"no subject":             {"subject", a.client(x509.Certificate{DNSNames: []string{"lamp"}})},
		"no e-mail address":      {"san", a.client(nameOnly("lamp"))},
		"control characters":     {"cn", a.client(nameOnly("lamp\nadmin"))},
	} {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			s := serve(t, "tls://127.0.0.1:0", Options{TLS: a.tls(TLSConfig{ClientCA: "ca.crt", User: x.form})}, await.Patience)
			config := a.trusts()
			config.MaxVersion = version
			config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &x.cert, nil } // also if it is no use
			c, err := tls.Dial("tcp", s.Addr().String(), config)
			refusal := s.failure(t)
			var certificate *CertificateError
			if !errors.As(refusal, &certificate) || certificate.Own || !strings.Contains(refusal.Error(), say) {
				t.Errorf("%s: %v", say, refusal)
			}
			if err != nil {
				continue
			}
			if _, err := c.Read(make([]byte, 1)); err == nil || !strings.Contains(err.Error(), "remote error") {
				t.Errorf("%s: the client is not told: %v", say, err)
			}
			_ = c.Close()
		}
	}
}

// TestABrokersCertificateThatClientsRefuse is told apart from peers that are no good.
func TestABrokersCertificateThatClientsRefuse(t *testing.T) {
	t.Parallel()
	a, other := newAuthority(t), newAuthority(t)
	config := a.tls(TLSConfig{})
	s := serve(t, "tls://127.0.0.1:0", Options{TLS: config}, await.Patience)
	refused := func(client *authority) string {
		t.Helper()
		if _, err := tls.Dial("tcp", s.Addr().String(), client.trusts()); err == nil {
			t.Fatal("accepted")
		}
		err := s.failure(t)
		var certificate *CertificateError
		if !errors.As(err, &certificate) || !certificate.Own {
			t.Errorf("not told apart: %v", err)
		}
		return err.Error()
	}
	if text := refused(other); !strings.Contains(text, "does not accept the broker's certificate") || strings.Contains(text, "ended at") {
		t.Error(text)
	}
	a.server("server", -time.Hour)
	if err := config.Reload(); err != nil { // the clock may be wrong
		t.Fatal(err)
	}
	if text := refused(a); !strings.Contains(text, "ended at") {
		t.Error(text)
	}
}
