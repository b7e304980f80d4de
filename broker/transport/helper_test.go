package transport

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"edged/test/await"

	"github.com/gorilla/websocket"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// server accepts on one address. Each connection, or why it failed, comes out of a channel.
type server struct {
	*Listener
	conns chan *Conn
	errs  chan error
}

// serve listens; patient is how long handshakes may take.
func serve(t *testing.T, address string, o Options, patient time.Duration) *server {
	t.Helper()
	a, err := Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	l, err := Listen(a, o)
	if err != nil {
		t.Fatal(err)
	}
	s := &server{l, make(chan *Conn, 1000), make(chan error, 1000)}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err != nil {
				t.Error(err)
				return
			}
			wg.Go(func() {
				conn, err := l.Handshake(c, time.Now().Add(patient))
				if err != nil {
					s.errs <- err
					return
				}
				s.conns <- conn
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		wg.Wait()
		for len(s.conns) > 0 {
			_ = (<-s.conns).Close()
		}
	})
	return s
}

func (s *server) url() string {
	return s.Address().Scheme + "://" + s.Addr().String() + s.Address().Path
}

// conn waits for the next connection.
func (s *server) conn(t *testing.T) *Conn {
	t.Helper()
	select {
	case c := <-s.conns:
		t.Cleanup(func() { _ = c.Close() })
		return c
	case err := <-s.errs:
		t.Fatalf("the handshake failed: %v", err)
	case <-time.After(await.Patience):
		t.Fatal("no connection")
	}
	return nil
}

// failure waits for the next handshake that fails.
func (s *server) failure(t *testing.T) error {
	t.Helper()
	select {
	case err := <-s.errs:
		return err
	case <-s.conns:
		t.Fatal("a handshake did not fail")
	case <-time.After(await.Patience):
		t.Fatal("no handshake failed")
	}
	return nil
}

// dial connects a peer to a server of any scheme, as a stream of bytes.
func (s *server) dial(t *testing.T, c *tls.Config) net.Conn {
	t.Helper()
	var conn net.Conn
	var err error
	switch s.Address().Scheme {
	case "tcp", "unix":
		conn, err = net.Dial(s.Addr().Network(), s.Addr().String())
	case "tls":
		conn, err = tls.Dial("tcp", s.Addr().String(), c)
	default:
		conn = &bytesOver{Conn: s.webSocket(t, c)}
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func (s *server) webSocket(t *testing.T, c *tls.Config) *websocket.Conn {
	t.Helper()
	d := websocket.Dialer{Subprotocols: []string{"mqtt"}, TLSClientConfig: c, HandshakeTimeout: await.Patience}
	ws, answer, err := d.Dial(s.url(), nil)
	if err != nil {
		t.Fatalf("%v: %v", err, answer)
	}
	t.Cleanup(func() { _ = ws.Close() })
	return ws
}

// bytesOver makes a gorilla client a stream of bytes.
type bytesOver struct {
	*websocket.Conn
	rest []byte
}

func (b *bytesOver) Read(p []byte) (int, error) {
	for len(b.rest) == 0 {
		kind, m, err := b.ReadMessage()
		if err != nil {
			return 0, err
		}
		if kind != websocket.BinaryMessage {
			return 0, errors.New("not a binary frame")
		}
		b.rest = m
	}
	n := copy(p, b.rest)
	b.rest = b.rest[n:]
	return n, nil
}

func (b *bytesOver) Write(p []byte) (int, error) {
	return len(p), b.WriteMessage(websocket.BinaryMessage, p)
}
func (b *bytesOver) SetDeadline(t time.Time) error {
	return errors.Join(b.SetReadDeadline(t), b.SetWriteDeadline(t))
}

// say sends a text and expects it at the other end.
func say(t *testing.T, from io.Writer, to net.Conn, text string) {
	t.Helper()
	sent := make(chan error, 1)
	go func() {
		_, err := io.WriteString(from, text)
		sent <- err
	}()
	hear(t, to, text)
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
}

// hear expects a text.
func hear(t *testing.T, at net.Conn, text string) {
	t.Helper()
	_ = at.SetReadDeadline(time.Now().Add(await.Patience))
	got := make([]byte, len(text))
	if _, err := io.ReadFull(at, got); err != nil || string(got) != text {
		t.Fatalf("%d bytes did not arrive as they were: %.40q, %v", len(text), got, err)
	}
}

// socketAddress is the address of a socket in a directory of the test.
func socketAddress(t *testing.T) string { return "unix://" + filepath.Join(t.TempDir(), "mqtt.sock") }

// request sends text to a ws server and returns the answer.
func (s *server) request(t *testing.T, text string) (status int, body string, header http.Header) {
	t.Helper()
	c, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(await.Patience))
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.ReadResponse(newReader(all), nil)
	if err != nil {
		t.Fatalf("%v: %q", err, all)
	}
	defer r.Body.Close()
	b, _ := io.ReadAll(r.Body)
	return r.StatusCode, strings.TrimSpace(string(b)), r.Header
}
