package http

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"edged/sinks/spec"
)

// find completes the path of a secret or certificate. A relative one is looked for among the credentials of the unit
// (systemd's LoadCredential=), then in data_dir.
func find(path string, env spec.Env) string {
	if filepath.IsAbs(path) {
		return path
	}
	if dir := os.Getenv("CREDENTIALS_DIRECTORY"); dir != "" {
		if credential := filepath.Join(dir, path); exists(credential) {
			return credential
		}
	}
	return filepath.Join(env.DataDir, path)
}

func exists(path string) bool { _, err := os.Stat(path); return err == nil }

const secretSize = 16 << 10

// readSecret reads a token or password: the file's text without white space around it.
func readSecret(path string, env spec.Env) (string, error) {
	path = find(path, env)
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("cannot read %s: %w", path, bare(err))
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, secretSize+1))
	secret := strings.TrimSpace(string(b))
	switch {
	case err != nil:
		return "", fmt.Errorf("cannot read %s: %w", path, bare(err))
	case secret == "":
		return "", fmt.Errorf("%s is empty", path)
	case len(b) > secretSize:
		return "", fmt.Errorf("%s has more than %d bytes: this is no token or password", path, secretSize)
	case !validValue(secret):
		return "", fmt.Errorf("%s has line breaks or control characters within the secret", path)
	}
	return secret, nil
}

// config reads the files.
func (t TLS) config(env spec.Env) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if t.CA != "" {
		path := find(t.CA, env)
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
		cert, key := find(t.Cert, env), find(t.Key, env)
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			return nil, fmt.Errorf("cannot use %s with %s: %w", cert, key, err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}
