package receiver

import (
	"errors"
	"os"
	"sync"
	"time"
)

// lingering is how long after the program's end nothing may come from what it has left behind.
const lingering = 500 * time.Millisecond

// stream is what a program writes. It ends when nobody can write any more, or the program has exited and nothing more comes: what
// has left its process group may hold it open for ever.
type stream struct {
	f       *os.File
	exited  <-chan struct{}
	drained chan struct{} // closed at its end
	once    sync.Once
}

func newStream(f *os.File, exited <-chan struct{}) *stream {
	return &stream{f: f, exited: exited, drained: make(chan struct{})}
}

// Read implements io.Reader.
func (s *stream) Read(b []byte) (int, error) {
	for {
		var until time.Time
		select {
		case <-s.exited:
			until = time.Now().Add(lingering)
			_ = s.f.SetReadDeadline(until)
		default:
		}
		n, err := s.f.Read(b)
		if errors.Is(err, os.ErrDeadlineExceeded) && (until.IsZero() || time.Now().Before(until)) {
			continue // it was woken, perhaps after it had looked
		}
		if err != nil {
			s.end()
		}
		return n, err
	}
}

// wake has a Read that blocks look whether the program has exited.
func (s *stream) wake() { _ = s.f.SetReadDeadline(time.Now()) }

func (s *stream) end() { s.once.Do(func() { close(s.drained) }) }

func (s *stream) close() {
	s.f.Close()
	s.end()
}
