package secret

import (
	"crypto/tls"
	"errors"
	"fmt"
)

// Pair names the certificate that a listener shows, with the chain behind it, and its private key: PEM, found like every
// secret.
type Pair struct {
	Cert string `toml:"cert" doc:"certificate, the chain behind it. Read again when the file changes, and on SIGHUP"`
	Key  string `toml:"key" doc:"its private key"`
}

// Load reads the pair. It is nil where none is named.
func (p Pair) Load(dir string) (*tls.Certificate, error) {
	if p == (Pair{}) {
		return nil, nil
	}
	if p.Cert == "" || p.Key == "" {
		return nil, errors.New("cert and key belong together")
	}
	cert, key := Find(p.Cert, dir), Find(p.Key, dir)
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("cannot use %s with %s: %w", cert, key, err)
	}
	return &pair, nil
}
