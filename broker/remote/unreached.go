package remote

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"

	"edged"
)

// unreached says why there is no connection, and what to do about it. Refusals stay permanent.
func (a *Access) unreached(err error) error {
	if edged.ClassOf(err) == edged.Permanent {
		return edged.Explain(err, "the broker refuses "+a.who(), "check client_id, username and password_file, and the broker's configuration")
	}
	short, remedy := err.Error(), "check the broker and the link"
	var (
		certificate *tls.CertificateVerificationError
		record      tls.RecordHeaderError
		dns         *net.DNSError
	)
	switch {
	case errors.As(err, &certificate):
		short, remedy = "its certificate is not trusted: "+certificate.Err.Error(), "for a CA of your own set tls.ca"
	case errors.As(err, &record):
		short, remedy = "the broker does not speak TLS at this port", "check broker"
	case errors.As(err, &dns):
		short, remedy = "no address for "+dns.Name, "check the link, the name server and broker"
	case errors.Is(err, syscall.ECONNREFUSED):
		short, remedy = "connection refused", "check that the broker runs, and broker's port"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		short, remedy = "no route to "+a.Address(), "check the link"
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		short = "no answer"
	}
	return edged.Explain(fmt.Errorf("broker %s: %w", a.Broker, err), short, remedy)
}

// who is the client as the broker sees it.
func (a *Access) who() string {
	if a.Username == "" {
		return fmt.Sprintf("client %q without a username", a.ClientID)
	}
	return fmt.Sprintf("user %q", a.Username)
}
