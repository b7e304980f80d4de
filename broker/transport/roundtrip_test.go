package transport

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"edged/test/await"

	"github.com/gorilla/websocket"
)

// every runs a test with each scheme.
func every(t *testing.T, f func(t *testing.T, s *server, c *tls.Config)) {
	for _, scheme := range []string{"tcp", "tls", "ws", "wss", "unix"} {
		t.Run(scheme, func(t *testing.T) {
			t.Parallel()
			a := newAuthority(t)
			address := scheme + "://127.0.0.1:0"
			if scheme == "unix" {
				address = socketAddress(t)
			}
			f(t, serve(t, address, Options{TLS: a.tls(TLSConfig{})}, await.Patience), a.trusts())
		})
	}
}

func TestBytesGoBothWays(t *testing.T) {
	t.Parallel()
	every(t, func(t *testing.T, s *server, config *tls.Config) {
		peer := s.dial(t, config)
		c := s.conn(t)
		for _, n := range []int{1, 125, 126, 4000, 5000, 65535, 65536, 1 << 20} {
			say(t, peer, c, strings.Repeat("x", n-1)+"y")
			say(t, c, peer, strings.Repeat("z", n-1)+"y")
		}
		if c.User != "" || c.HasCertificate {
			t.Error("somebody without a certificate has one")
		}
		scheme := s.Address().Scheme
		if plain := scheme == "tcp" || scheme == "unix"; plain != (c.Raw() != nil) {
			t.Errorf("raw socket: %v", c.Raw())
		}
		if scheme == "unix" {
			if c.IP().IsValid() || c.Remote().String() != s.Address().Path {
				t.Errorf("%v, %v", c.IP(), c.Remote())
			}
		} else if c.IP() != netip.MustParseAddr("127.0.0.1") || c.Remote().(*net.TCPAddr).Port == 0 {
			t.Errorf("%v, %v", c.IP(), c.Remote())
		}
	})
}

func TestCloseWriteTellsThePeerAndReadGoesOn(t *testing.T) {
	t.Parallel()
	every(t, func(t *testing.T, s *server, config *tls.Config) {
		peer := s.dial(t, config)
		c := s.conn(t)
		if _, err := io.WriteString(c, "last"); err != nil {
			t.Fatal(err)
		}
		say(t, peer, c, "on its way")
		if err := c.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		_ = peer.SetDeadline(time.Now().Add(await.Patience))
		if ws, ok := peer.(*bytesOver); ok {
			ws.SetCloseHandler(func(int, string) error { return nil }) // not yet
		}
		got, err := io.ReadAll(peer)
		var closed *websocket.CloseError
		if errors.As(err, &closed) && closed.Code == websocket.CloseNormalClosure {
			err = nil
		}
		if string(got) != "last" || err != nil { // a TLS client says unexpected EOF if there was no close_notify
			t.Fatalf("%q, %v", got, err)
		}
		say(t, peer, c, "still there")
		_ = peer.Close()
		if _, err := c.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("the peer has gone: %v", err)
		}
		if _, err := c.Write([]byte("x")); err == nil {
			t.Error("wrote after CloseWrite")
		}
	})
}

// TestDeadlinesWakeWhatWaits: from another goroutine, with the errors that package net has for it.
func TestDeadlinesWakeWhatWaits(t *testing.T) {
	t.Parallel()
	every(t, func(t *testing.T, s *server, config *tls.Config) {
		s.dial(t, config)
		c := s.conn(t)
		read, written := make(chan error, 1), make(chan error, 1)
		go func() {
			_, err := c.Read(make([]byte, 1))
			read <- err
		}()
		go func() { written <- fill(c) }()
		full(t, c)
		_ = c.SetReadDeadline(time.Unix(1, 0))
		if err := <-read; !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("read: %v", err)
		}
		_ = c.SetWriteDeadline(time.Unix(1, 0))
		if err := <-written; !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("write: %v", err)
		}
	})
}

// TestClosingWakesWhatWaits: Close does not wait for a peer that reads nothing; CloseWrite does for a second.
func TestClosingWakesWhatWaits(t *testing.T) {
	t.Parallel()
	every(t, func(t *testing.T, s *server, config *tls.Config) {
		s.dial(t, config)
		c := s.conn(t)
		var wg sync.WaitGroup
		var readErr error
		wg.Go(func() { _, readErr = c.Read(make([]byte, 1)) })
		wg.Go(func() { _ = fill(c) })
		full(t, c)
		began := time.Now()
		_ = c.CloseWrite()
		if took := time.Since(began); took > farewell+await.Patience/2 {
			t.Errorf("CloseWrite took %v", took)
		}
		began = time.Now()
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took > await.Patience/2 {
			t.Errorf("Close took %v", took)
		}
		wg.Wait()
		if !errors.Is(readErr, net.ErrClosed) {
			t.Errorf("read: %v", readErr)
		}
	})
}

// fill writes until that fails.
func fill(c net.Conn) error {
	for {
		if _, err := c.Write(make([]byte, 32<<10)); err != nil {
			return err
		}
	}
}

// socketOf is the socket at the bottom.
func socketOf(t *testing.T, c net.Conn) syscall.RawConn {
	t.Helper()
	for {
		switch s := c.(type) {
		case *Conn:
			c = s.stream
		case *frames:
			c = s.wire.stream
		case *secure:
			c = s.below.socket
		case socket:
			raw, err := s.SyscallConn()
			if err != nil {
				t.Fatal(err)
			}
			return raw
		}
	}
}

// full waits until the kernel takes no more from c for a while, and expects that it did not take much.
func full(t *testing.T, c *Conn) {
	t.Helper()
	raw := socketOf(t, c)
	before, same := -1, 0
	await.Soon(t, "the peer's buffers are full", func() bool {
		queued := unsent(t, raw)
		if same++; queued == 0 || queued != before {
			before, same = queued, 0
		}
		return same > 50
	})
	if before > 4*writeBuffer {
		t.Errorf("the kernel holds %d bytes", before)
	}
}
