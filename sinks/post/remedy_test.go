package post

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/url"
	"os"
	"syscall"
	"testing"

	"edged"
	"edged/internal/conf"
	"edged/sinks/spec"

	"github.com/VictoriaMetrics/metrics"
)

// What a sentence of status says of a failure: "sink cloud: 401 since 10:02, …; check token_file".
func TestExplanations(t *testing.T) {
	dial := func(err error) error {
		return &url.Error{Op: "Post", URL: "http://x/?secret", Err: &net.OpError{Op: "dial", Net: "tcp", Err: err}}
	}
	certificate := func(err error) error {
		return &url.Error{Err: &tls.CertificateVerificationError{Err: err}}
	}
	for _, c := range []struct {
		err           error
		cause, remedy string
	}{
		{dial(os.NewSyscallError("connect", syscall.ECONNREFUSED)), "connection refused", "check that the server runs, and url's port"},
		{dial(os.NewSyscallError("connect", syscall.EHOSTUNREACH)), "no route to hub.example", "check the link"},
		{dial(os.NewSyscallError("connect", syscall.ENETUNREACH)), "no route to hub.example", "check the link"},
		{dial(&net.DNSError{Err: "no such host", Name: "hub.example", IsNotFound: true}), "no address for hub.example", "check the link, the name server and url"},
		{dial(os.NewSyscallError("read", syscall.ECONNRESET)), "connection reset", "look at the server"},
		{&url.Error{Err: context.DeadlineExceeded}, "no answer within 10s", "check the link and the server"},
		{&url.Error{Err: errors.New("EOF")}, "EOF", "check the link and the server"},
		{certificate(x509.UnknownAuthorityError{}), "its certificate is not trusted: x509: certificate signed by unknown authority", "for a CA of your own set tls.ca"},
		{certificate(x509.CertificateInvalidError{Reason: x509.Expired, Detail: "on Monday"}), "its certificate is not trusted: x509: certificate has expired or is not yet valid: on Monday", "renew it, or set this computer's clock"},
		{&url.Error{Err: tls.RecordHeaderError{Msg: "first record does not look like TLS"}}, "the server does not speak TLS at this port", "check url"},
	} {
		config := Default()
		s := New(Options{Config: &config, Kind: "http", URL: "https://hub.example/in?secret", Env: spec.Env{Metrics: metrics.NewSet()}})
		err := s.unanswered(c.err)
		if cause, remedy := edged.Explanation(err); cause != c.cause || remedy != c.remedy || edged.ClassOf(err) != edged.Retryable {
			t.Errorf("%v:\n%s; %s, want\n%s; %s", c.err, cause, remedy, c.cause, c.remedy)
		}
	}
}

func TestWhoseCredentials(t *testing.T) {
	for want, change := range map[string]func(c *Config){
		"set token_file or basic": func(*Config) {},
		"check token_file":        func(c *Config) { c.TokenFile = "token" },
		"check basic":             func(c *Config) { c.Basic = Basic{"a", "b"} },
		"check headers":           func(c *Config) { c.Headers = conf.Pairs{{Key: "authorization", Value: "x"}} },
		"check tls.cert, or set token_file or basic": func(c *Config) { c.TLS.Cert = "cert.pem" },
	} {
		config := Default()
		s := New(Options{Config: &config, Kind: "http", Env: spec.Env{Metrics: metrics.NewSet()}})
		change(&config)
		for _, code := range []int{401, 403} {
			if got := s.remedy(code, ""); got != want {
				t.Errorf("%d: %s, want %s", code, got, want)
			}
		}
	}
}
