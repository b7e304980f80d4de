package secret

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
)

// TLS names the files of an outbound TLS connection, in PEM, found like every secret.
type TLS struct {
	CA   string `toml:"ca" doc:"certificates to trust, in place of the system's"`
	Cert string `toml:"cert" doc:"client certificate"`
	Key  string `toml:"key" doc:"its private key"`
}

// Config reads the files, and demands TLS 1.2 or later. The server's name is the caller's to set.
func (t TLS) Config(dir string) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if t.CA != "" {
		path := Find(t.CA, dir)
		pem, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("cannot read %s: %w", path, Bare(err))
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s has no certificate in PEM", path)
		}
	}
	if (t.Cert == "") != (t.Key == "") {
		return nil, errors.New("cert and key belong together")
	}
	if t.Cert != "" {
		cert, key := Find(t.Cert, dir), Find(t.Key, dir)
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			return nil, fmt.Errorf("cannot use %s with %s: %w", cert, key, err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}
