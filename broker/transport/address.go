package transport

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"strconv"

	"edged/internal/conf"
)

// The schemes of addresses.
const (
	schemeTCP  = "tcp"
	schemeTLS  = "tls"
	schemeWS   = "ws"
	schemeWSS  = "wss"
	schemeUnix = "unix"
)

// Address is an address to listen on. It is comparable.
type Address struct {
	Scheme string // tcp, tls, ws, wss or unix
	Host   string // HOST:PORT; empty for unix
	Path   string // ws and wss: the only path that is served, empty for every; unix: where the socket is

	// Of a socket of the file system. User and Group are names or numbers, and empty for those of the process.
	Mode        fs.FileMode
	User, Group string

	text string
}

// Parse takes apart tcp://HOST:PORT, tls://HOST:PORT, ws://HOST:PORT[/PATH], wss://HOST:PORT[/PATH] and
// unix:///PATH[?mode=0660&user=NAME&group=NAME]. It looks nothing up. The error goes on where the quoted address ends.
func Parse(address string) (Address, error) {
	u, err := url.Parse(address)
	if err != nil {
		return Address{}, errors.New(`is not an address; write "tcp://127.0.0.1:1883"`)
	}
	a := Address{Scheme: u.Scheme, Host: u.Host, Path: u.Path, text: address}
	switch u.Scheme {
	case schemeUnix:
		return a.socket(u)
	case schemeTCP, schemeTLS:
		if u.Port() == "" || u.Path != "" || extra(u) || u.RawQuery != "" {
			return Address{}, fmt.Errorf("has to be %s://HOST:PORT; write %q", u.Scheme, example(u.Scheme))
		}
	case schemeWS, schemeWSS:
		if u.Port() == "" || extra(u) || u.RawQuery != "" {
			return Address{}, fmt.Errorf("has to be %s://HOST:PORT or %s://HOST:PORT/PATH; write %q", u.Scheme, u.Scheme, example(u.Scheme))
		}
	default:
		return Address{}, errors.New(`has to begin with tcp://, tls://, ws://, wss:// or unix://; write "tcp://127.0.0.1:1883"`)
	}
	if _, err := strconv.ParseUint(u.Port(), 10, 16); err != nil {
		return Address{}, errors.New("has a port that is not between 0 and 65535")
	}
	return a, nil
}

// extra reports parts that no address has.
func extra(u *url.URL) bool {
	return u.User != nil || u.Fragment != "" || u.Opaque != "" || u.ForceQuery
}

// example has the usual port: 1883 and 8883 are registered for MQTT; for WebSocket there is only custom.
func example(scheme string) string {
	return scheme + "://127.0.0.1:" + map[string]string{schemeTCP: "1883", schemeTLS: "8883", schemeWS: "9001", schemeWSS: "9443"}[scheme]
}

// Local reports whether other machines cannot reach the address. Web pages can, with ws and wss: see the package's comment.
func (a Address) Local() bool {
	if a.Scheme == schemeUnix {
		return true
	}
	host, _, err := net.SplitHostPort(a.Host)
	return err == nil && conf.Loopback(host)
}

// TLS reports whether the address needs a certificate.
func (a Address) TLS() bool { return a.Scheme == schemeTLS || a.Scheme == schemeWSS }

// String is the address as it was written.
func (a Address) String() string { return a.text }

func (a Address) webSocket() bool { return a.Scheme == schemeWS || a.Scheme == schemeWSS }
