// Package guard stands before the HTTP listener: it knows the bearer token and the certificate, reads both again when asked
// to, and bounds the connections.
package guard

import (
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"

	"edged/internal/secret"
)

// MinToken is the shortest token that is accepted, in bytes: it can be guessed at as fast as the network goes.
const MinToken = 16

// Config names the files, which are found like every secret.
type Config struct {
	TokenFile string // "" lets everybody in
	TLS       secret.Pair
	Dir       string // where relative paths are looked for at last
}

// Guard is what is known now. Its methods can be called from any goroutine.
type Guard struct {
	c    Config
	held atomic.Pointer[held]
}

type held struct {
	token [sha256.Size]byte
	cert  *tls.Certificate
}

// New makes a guard that has read nothing yet: without a Reload that succeeded it lets nobody in.
func New(c Config) *Guard { return &Guard{c: c} }

// Files are the files that Reload reads.
func (g *Guard) Files() (files []string) {
	for _, path := range []string{g.c.TokenFile, g.c.TLS.Cert, g.c.TLS.Key} {
		if path != "" {
			files = append(files, secret.Find(path, g.c.Dir))
		}
	}
	return files
}

// Reload reads token, certificate and key. After an error all of them stay what they were. Connections that exist go on.
func (g *Guard) Reload() error {
	h := &held{}
	if g.c.TokenFile != "" {
		token, err := ReadToken(g.c.TokenFile, g.c.Dir)
		if err != nil {
			return fmt.Errorf("token_file: %w", err)
		}
		h.token = sha256.Sum256([]byte(token))
	}
	var err error
	if h.cert, err = g.c.TLS.Load(g.c.Dir); err != nil {
		return fmt.Errorf("tls: %w", err)
	}
	g.held.Store(h)
	return nil
}

// ReadToken reads a bearer token. The error says the path and the cause, never the token.
func ReadToken(path, dir string) (string, error) {
	token, err := secret.Read(path, dir)
	if err == nil && len(token) < MinToken {
		return "", fmt.Errorf("the token in %s has %d characters, and can be guessed; make one of at least %d: openssl rand -hex 32", secret.Find(path, dir), len(token), MinToken)
	}
	return token, err
}

// Verdict is what a request showed.
type Verdict int

// The verdicts.
const (
	Missing Verdict = iota // a token is needed, and none came
	Wrong                  // one came, and it is another
	Welcome
)

// Check judges a request by its Authorization header (RFC 6750, section 2.1). How long it takes says nothing of the token.
func (g *Guard) Check(r *http.Request) Verdict {
	h := g.held.Load()
	if h != nil && g.c.TokenFile == "" {
		return Welcome
	}
	header := r.Header.Get("Authorization")
	if header == "" {
		return Missing
	}
	scheme, token, _ := strings.Cut(header, " ")
	sum := sha256.Sum256([]byte(strings.TrimSpace(token)))
	if h == nil || !strings.EqualFold(scheme, "Bearer") || subtle.ConstantTimeCompare(sum[:], h.token[:]) != 1 {
		return Wrong
	}
	return Welcome
}

// TLS is the listener's configuration; nil for one that speaks plain HTTP. Each handshake gets the certificate that is held
// then.
func (g *Guard) TLS() *tls.Config {
	if g.c.TLS == (secret.Pair{}) {
		return nil
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			if h := g.held.Load(); h != nil {
				return h.cert, nil
			}
			return nil, errors.New("no certificate was read")
		},
	}
}
