package post

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"syscall"

	"edged"
	"edged/internal/conf"
)

// remedy is what to do about an answer.
func (p *Poster) remedy(code int, location string) string {
	if p.o.Remedy != nil {
		if own := p.o.Remedy(code); own != "" {
			return own
		}
	}
	switch {
	case location != "":
		return "redirects are not followed, set url to where it points: " + printable(location)
	case code >= 300 && code < 400:
		return "redirects are not followed, correct url"
	case code == 401, code == 403:
		return p.credentials()
	case code == 404, code == 405, code == 410:
		return "check url"
	case code == 406, code == 415:
		return "check format and compress"
	case code == 407:
		return "check HTTP_PROXY and HTTPS_PROXY"
	case code == 429:
		return "the server asks for fewer requests: a longer batch_age makes them"
	case code >= 500:
		return "the fault is the server's: look there"
	}
	return ""
}

// credentials says where those come from that a server refuses.
func (p *Poster) credentials() string {
	switch {
	case p.config.TokenFile != "":
		return "check token_file"
	case p.config.Basic != Basic{}:
		return "check basic"
	case slices.ContainsFunc(p.config.Headers, func(h conf.Pair) bool { return strings.EqualFold(h.Key, "Authorization") }):
		return "check headers"
	case p.config.TLS.Cert != "":
		return "check tls.cert, or set token_file or basic"
	}
	return "set token_file or basic"
}

// unanswered says why there was no answer. All of it is retryable: a link comes back, and a certificate is renewed.
func (p *Poster) unanswered(err error) error {
	cause := bare(err)
	short, remedy := cause.Error(), "check the link and the server"
	var (
		certificate *tls.CertificateVerificationError
		record      tls.RecordHeaderError
		dns         *net.DNSError
	)
	switch {
	case errors.Is(cause, context.DeadlineExceeded):
		short = fmt.Sprintf("no answer within %s", p.config.Timeout)
		return edged.Explain(fmt.Errorf("POST %s: %s", p.where(), short), short, remedy)
	case errors.As(cause, &certificate):
		short, remedy = "its certificate is not trusted: "+printable(certificate.Err.Error()), certificateRemedy(certificate.Err)
		return edged.Explain(fmt.Errorf("POST %s: %w; %s", p.where(), cause, remedy), short, remedy)
	case errors.As(cause, &record):
		short, remedy = "the server does not speak TLS at this port", "check url"
	case errors.As(cause, &dns):
		short, remedy = "no address for "+dns.Name, "check the link, the name server and url"
	case errors.Is(cause, syscall.ECONNREFUSED):
		short, remedy = "connection refused", "check that the server runs, and url's port"
	case errors.Is(cause, syscall.EHOSTUNREACH), errors.Is(cause, syscall.ENETUNREACH):
		short, remedy = "no route to "+p.host(), "check the link"
	case errors.Is(cause, syscall.ECONNRESET):
		short, remedy = "connection reset", "look at the server"
	}
	return edged.Explain(fmt.Errorf("POST %s: %w", p.where(), cause), short, remedy)
}

func certificateRemedy(err error) string {
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &name):
		return "check url, or have the certificate name it"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "renew it, or set this computer's clock"
	}
	return "for a CA of your own set tls.ca"
}
