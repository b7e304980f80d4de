package transport

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"
)

// CertificateError is within the error of a handshake that failed over a certificate: something that an operator can
// correct, and worth a warning (not one for each: strangers can cause it too). Every other error of Handshake tells of a peer that gave up, was
// too slow, or is no MQTT client, and is for a counter or the debug log.
type CertificateError struct {
	Own bool // the client does not accept the broker's; otherwise the broker does not accept the client's
	Err error
}

// Error says whose certificate it is and what is wrong with it.
func (e *CertificateError) Error() string {
	if e.Own {
		return "the client does not accept the broker's certificate: " + e.Err.Error()
	}
	return "the client's certificate is not accepted: " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *CertificateError) Unwrap() error { return e.Err }

// explainTLS says what an error of a TLS handshake means. own is what was shown to the client.
func explainTLS(err error, own *loaded) error {
	var refused *tls.CertificateVerificationError
	var certificate *CertificateError
	var header tls.RecordHeaderError
	var remote *net.OpError
	switch {
	case errors.As(err, &certificate):
	case errors.As(err, &refused):
		err = &CertificateError{Err: fmt.Errorf("%w (subject %.100q)", err, refused.UnverifiedCertificates[0].Subject)}
	case errors.As(err, &header):
		return errors.New("TLS handshake: the client does not speak TLS")
	case errors.As(err, &remote) && remote.Op == "remote error" && strings.Contains(remote.Err.Error(), "certificate"): // alerts 42 to 46 and 48 (RFC 8446, 6.2)
		err = &CertificateError{Own: true, Err: remote.Err}
		if at := own.leaf.NotAfter; time.Now().After(at) {
			err = fmt.Errorf("%w (it ended at %s: renew it)", err, at.Format(time.RFC3339))
		}
	}
	return explain("TLS handshake", err)
}

func explain(stage string, err error) error {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("%s: the client was too slow: %w", stage, err)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%s: the client gave up: %w", stage, err)
	}
	return fmt.Errorf("%s: %w", stage, err)
}
