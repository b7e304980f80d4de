package main

import (
	"bytes"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"os"

	"edged/internal/guard"
	"edged/internal/secret"
)

// errOther is the error of a server that shows another certificate than the configured one. Nothing was sent to it.
var errOther = errors.New("the certificate is not the one that http.tls.cert names, so no token was sent; if the file has been renewed: systemctl restart edged; otherwise another program listens there")

// trustOnly trusts one certificate, that of a file, and nothing else. It is the listener's own, on the same machine: who signed
// it, for which name and until when, adds nothing to that. The handshake proves that the server has the key.
func trustOnly(file, dir string) (*tls.Config, error) {
	path := secret.Find(file, dir)
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read the gateway's certificate %s: %w%s", path, secret.Bare(err), sudo())
	}
	block, rest := pem.Decode(text)
	for block != nil && block.Type != "CERTIFICATE" { // the key may stand before it
		block, rest = pem.Decode(rest)
	}
	if block == nil {
		return nil, fmt.Errorf("%s has no certificate in PEM", path)
	}
	return &tls.Config{
		MinVersion:         tls.VersionTLS12,
		InsecureSkipVerify: true, // VerifyConnection does it
		VerifyConnection: func(c tls.ConnectionState) error {
			if len(c.PeerCertificates) == 0 || !bytes.Equal(c.PeerCertificates[0].Raw, block.Bytes) {
				return errOther
			}
			return nil
		},
	}, nil
}

func readToken(file, dir string) (string, error) {
	token, err := guard.ReadToken(file, dir)
	if err != nil {
		return "", fmt.Errorf("the gateway wants the token of http.token_file: %w%s", err, sudo())
	}
	return token, nil
}
