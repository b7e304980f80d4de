package post

import (
	"io"
	"os"
	"sync"
)

// lease lends the bytes of a request to the transport. It may still read from them after the answer has come (a server may
// answer before it has read everything) or after a timeout; end waits for a read in progress and allows no other, so that
// the bytes can be used again.
type lease struct {
	mu    sync.Mutex
	data  []byte
	ended bool
}

// open returns a reader from the beginning. Each attempt of the transport has its own.
func (l *lease) open() io.ReadCloser { return &tenant{lease: l} }

func (l *lease) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
}

type tenant struct {
	lease *lease
	at    int
}

func (t *tenant) Read(p []byte) (int, error) {
	t.lease.mu.Lock()
	defer t.lease.mu.Unlock()
	switch {
	case t.lease.ended:
		return 0, os.ErrClosed
	case t.at == len(t.lease.data):
		return 0, io.EOF
	}
	n := copy(p, t.lease.data[t.at:])
	t.at += n
	return n, nil
}

func (t *tenant) Close() error { return nil }
