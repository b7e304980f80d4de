package http

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"

	"edged/internal/secret"
	"edged/sinks/spec"
)

// config reads the files.
func (t TLS) config(env spec.Env) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if t.CA != "" {
		path := secret.Find(t.CA, env.DataDir)
		pem, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("cannot read %s: %w", path, bare(err))
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s has no certificate in PEM", path)
		}
	}
	if (t.Cert == "") != (t.Key == "") {
		return nil, errors.New("want both cert and key, or neither")
	}
	if t.Cert != "" {
		cert, key := secret.Find(t.Cert, env.DataDir), secret.Find(t.Key, env.DataDir)
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			return nil, fmt.Errorf("cannot use %s with %s: %w", cert, key, err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}
