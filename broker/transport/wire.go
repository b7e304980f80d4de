package transport

import (
	"errors"
	"net"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// wire is the connection below a WebSocket. The library sets a write deadline before each frame, control frames included,
// and forgets what errors were. Here the deadline of the broker's frames is kept apart from that of the control frames, which
// the reading goroutine sends: a deadline of an earlier Write must not end a pong, nor a pong's a Write.
type wire struct {
	stream
	mu       sync.Mutex
	deadline time.Time // of the broker's Writes
	writeErr error     // the first
	readErr  error
}

func newWire(c stream) *wire { return &wire{stream: c} }

// Read implements net.Conn.
func (w *wire) Read(p []byte) (int, error) {
	n, err := w.stream.Read(p)
	if err != nil {
		w.mu.Lock()
		w.readErr = err
		w.mu.Unlock()
	}
	return n, err
}

// Write implements net.Conn.
func (w *wire) Write(p []byte) (int, error) {
	n, err := w.stream.Write(p)
	if err != nil {
		w.mu.Lock()
		if w.writeErr == nil {
			w.writeErr = err
		}
		w.mu.Unlock()
	}
	return n, err
}

// SetDeadline is called at the end of the upgrade, to take away deadlines of an HTTP server; those of the handshake stay.
func (w *wire) SetDeadline(time.Time) error { return nil }

// SetWriteDeadline is called before each frame: with zero before one of the broker's.
func (w *wire) SetWriteDeadline(t time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if t.IsZero() {
		t = w.deadline
	}
	return w.stream.SetWriteDeadline(t)
}

// writeBy sets the deadline of the broker's Writes, also of one under way.
func (w *wire) writeBy(t time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.deadline = t
	return w.stream.SetWriteDeadline(t)
}

// cause returns what the socket said, if it said something, in place of what the library made of it.
func (w *wire) cause(err error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case errors.Is(err, websocket.ErrCloseSent):
		return net.ErrClosed
	case w.writeErr != nil:
		return w.writeErr
	}
	return err
}

func (w *wire) readCause(err error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.readErr != nil {
		return w.readErr
	}
	return err
}
