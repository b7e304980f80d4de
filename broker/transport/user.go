package transport

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// userForms are the ways in which a certificate gives a user name; the first is the default.
var userForms = []string{"cn", "subject", "san"}

// userIn returns what a form takes from a certificate, and what that is called.
func userIn(c *x509.Certificate, form string) (name, what string) {
	switch form {
	case "subject":
		return c.Subject.String(), "subject"
	case "san":
		return alternativeName(c), "e-mail address, DNS name or URI"
	}
	return c.Subject.CommonName, "common name"
}

func alternativeName(c *x509.Certificate) string {
	switch {
	case len(c.EmailAddresses) > 0:
		return c.EmailAddresses[0]
	case len(c.DNSNames) > 0:
		return c.DNSNames[0]
	case len(c.URIs) > 0:
		return c.URIs[0].String()
	}
	return ""
}

// userOf returns the user name of a verified certificate; an error if it gives none that can be one: it would be shown in logs
// and compared in access rules. Empty without a certificate.
func userOf(s tls.ConnectionState, form string) (string, error) {
	if len(s.VerifiedChains) == 0 {
		return "", nil
	}
	c := s.VerifiedChains[0][0]
	name, what := userIn(c, form)
	switch {
	case name == "":
		return "", &CertificateError{Err: fmt.Errorf("it has no %s to be the user name (serial number %x)", what, c.SerialNumber)}
	case !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl):
		return "", &CertificateError{Err: fmt.Errorf("its %s has control characters or is not UTF-8: %.100q", what, name)}
	}
	return name, nil
}
