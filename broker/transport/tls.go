package transport

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"edged/internal/conf"
	"edged/internal/secret"
)

// TLSConfig names the files of the broker's own side of TLS, in PEM, found like every secret.
type TLSConfig struct {
	Cert     string `toml:"cert" doc:"certificate of the broker, followed by the intermediate ones"`
	Key      string `toml:"key" doc:"its private key"`
	ClientCA string `toml:"client_ca" doc:"certificates that vouch for clients' certificates; without it clients are not asked for one"`
	Require  bool   `toml:"require_client_cert" doc:"refuse clients without a certificate"`
	User     string `toml:"user" doc:"what of a client's certificate is its user name: cn (common name), subject (all of it, as in RFC 2253) or san (the first e-mail address, else DNS name, else URI)"`
}

// TLS is the broker's certificate, and what it asks of its clients'. Its methods may be called at any time.
type TLS struct {
	config TLSConfig
	dir    string
	now    atomic.Pointer[loaded]
}

// loaded is the content of the files at one time. Each has session ticket keys of its own, which crypto/tls makes: a
// session that began under an earlier client CA is not resumed after a Reload.
type loaded struct {
	leaf      *x509.Certificate
	mqtt, web *tls.Config
}

// NewTLS reads the files; relative paths are looked for as package secret says. The error goes on where the key's name ends. A
// certificate that is not valid yet or any more is no error: the clock of the machine may be wrong, and it is for the
// clients to judge. See Expires.
func NewTLS(c TLSConfig, dir string) (*TLS, error) {
	t := &TLS{config: c, dir: dir}
	return t, t.Reload()
}

// Reload reads the files again. After an error the old content stays in use. Connections that exist are not touched;
// handshakes that begin later see the new content.
func (t *TLS) Reload() error {
	c := t.config
	switch {
	case !slices.Contains(userForms, cmp.Or(c.User, userForms[0])):
		return fmt.Errorf("user: want %s, have %q", conf.Alternatives(userForms), c.User)
	case c.Cert == "" || c.Key == "":
		return errors.New("cert and key are both needed")
	case c.Require && c.ClientCA == "":
		return errors.New("require_client_cert needs client_ca, which says whose certificates count")
	}
	cert, key := secret.Find(c.Cert, t.dir), secret.Find(c.Key, t.dir)
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return fmt.Errorf("cannot use %s with %s: %w", cert, key, err)
	}
	base := &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}}
	if c.ClientCA != "" {
		if base.ClientCAs, err = pool(secret.Find(c.ClientCA, t.dir)); err != nil {
			return err
		}
		base.ClientAuth = tls.VerifyClientCertIfGiven
		if c.Require {
			base.ClientAuth = tls.RequireAndVerifyClientCert
		}
		base.VerifyConnection = func(s tls.ConnectionState) error { // also of resumed sessions
			_, err := userOf(s, c.User)
			return err
		}
	}
	l := &loaded{leaf: pair.Leaf, mqtt: base.Clone(), web: base.Clone()}
	// A client that offers protocols of which none is here is refused, so that no browser can be made to speak to the wrong
	// port (RFC 7301, 3.2); one that offers none is not.
	l.mqtt.NextProtos, l.web.NextProtos = []string{"mqtt"}, []string{"http/1.1", "mqtt"}
	t.now.Store(l)
	return nil
}

func pool(path string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read %s: %w", path, secret.Bare(err))
	}
	p := x509.NewCertPool()
	if !p.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s has no certificate in PEM", path)
	}
	return p, nil
}

// Expires is when the broker's own certificate ends.
func (t *TLS) Expires() time.Time { return t.now.Load().leaf.NotAfter }
