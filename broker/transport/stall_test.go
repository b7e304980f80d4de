package transport

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"edged/test/await"
)

// TestAPeerThatStallsIsEndedAtTheDeadline in each phase of a handshake.
func TestAPeerThatStallsIsEndedAtTheDeadline(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	hello := clientHello(t)
	request := "GET / HTTP/1.1\r\nHost: a\r\nUpgr"
	for name, x := range map[string]struct{ scheme, plain, inTLS string }{
		"nothing":               {scheme: "tls"},
		"half a hello":          {scheme: "tls", plain: hello[:len(hello)/2]},
		"a hello and no more":   {scheme: "tls", plain: hello},
		"no request":            {scheme: "ws"},
		"half a request":        {scheme: "ws", plain: request},
		"no hello":              {scheme: "wss"},
		"half a request in TLS": {scheme: "wss", inTLS: request},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, x.scheme+"://127.0.0.1:0", Options{TLS: a.tls(TLSConfig{})}, 200*time.Millisecond)
			c, err := net.Dial("tcp", s.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if _, err := io.WriteString(c, x.plain); err != nil {
				t.Fatal(err)
			}
			if x.inTLS != "" {
				config := a.trusts()
				config.ServerName = "127.0.0.1"
				if _, err := io.WriteString(tls.Client(c, config), x.inTLS); err != nil {
					t.Fatal(err)
				}
			}
			err = s.failure(t)
			var certificate *CertificateError
			if !errors.Is(err, os.ErrDeadlineExceeded) || !strings.Contains(err.Error(), "too slow") || errors.As(err, &certificate) {
				t.Error(err)
			}
			_ = c.SetReadDeadline(time.Now().Add(await.Patience))
			if _, err := io.Copy(io.Discard, c); errors.Is(err, os.ErrDeadlineExceeded) {
				t.Error("it was not closed")
			}
		})
	}
}

// TestTheDeadlineOfTheHandshakeIsOver when it was met: it does not end what comes after.
func TestTheDeadlineOfTheHandshakeIsOver(t *testing.T) {
	t.Parallel()
	every(t, func(t *testing.T, s *server, config *tls.Config) {
		const patient = 2 * time.Second
		soon := serve(t, strings.Replace(s.Address().String(), "mqtt.sock", "other.sock", 1), s.options, patient)
		peer := soon.dial(t, config)
		c := soon.conn(t)
		late := time.After(patient)
		read := make(chan error, 1)
		go func() {
			_, err := c.Read(make([]byte, 1))
			read <- err
		}()
		<-late
		if _, err := peer.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		if err := <-read; err != nil {
			t.Error(err)
		}
		say(t, c, peer, "y")
	})
}

// clientHello is the first flight of a TLS client.
func clientHello(t *testing.T) string {
	t.Helper()
	near, far := net.Pipe()
	defer far.Close()
	go func() {
		_ = tls.Client(near, &tls.Config{ServerName: "a"}).Handshake()
		_ = near.Close()
	}()
	b := make([]byte, 16<<10)
	n, err := far.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	return string(b[:n])
}

func TestPeersThatSpeakSomethingElse(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	connect := "\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00"
	for _, x := range []struct{ scheme, text, say string }{
		{"tls", connect, "does not speak TLS"},
		{"wss", "GET / HTTP/1.1\r\n\r\n", "does not speak TLS"},
		{"ws", connect + "\r\n", "this is not HTTP"},
		{"ws", connect, "gave up"},
		{"tls", "", "gave up"},
	} {
		s := serve(t, x.scheme+"://127.0.0.1:0", Options{TLS: a.tls(TLSConfig{})}, await.Patience)
		c, err := net.Dial("tcp", s.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(c, x.text); err != nil {
			t.Fatal(err)
		}
		_ = c.(*net.TCPConn).CloseWrite()
		if err := s.failure(t); !strings.Contains(err.Error(), x.say) {
			t.Errorf("%s: %v", x.scheme, err)
		}
		_ = c.Close()
	}
}

// TestClosingTheSocketEndsAHandshake, as the broker does when it stops.
func TestClosingTheSocketEndsAHandshake(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	for _, scheme := range []string{"tls", "ws"} {
		address, _ := Parse(scheme + "://127.0.0.1:0")
		l, err := Listen(address, Options{TLS: a.tls(TLSConfig{})})
		if err != nil {
			t.Fatal(err)
		}
		peer, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		c, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() {
			_, err := l.Handshake(c, time.Now().Add(time.Hour))
			ended <- err
		}()
		_ = c.Close()
		if err := <-ended; !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
		_, _ = peer.Close(), l.Close()
		if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
	}
}
