package child

import (
	"errors"
	"os"
	"sync"
	"time"
)

// leftovers is how long after the program's end what was written is read, without linger.
const leftovers = time.Second

// Stream is what a program writes. It ends when nobody can write any more (io.EOF), or the program has ended and nothing more is
// waited for (os.ErrDeadlineExceeded): what has left its process group may hold it open for ever. Its methods may be called from any
// goroutine, Read from one.
type Stream struct {
	f       *os.File
	c       *Child
	drained chan struct{} // closed at its end
	once    sync.Once
}

func newStream(f *os.File, c *Child) *Stream {
	return &Stream{f: f, c: c, drained: make(chan struct{})}
}

// Read implements io.Reader.
func (s *Stream) Read(b []byte) (int, error) {
	for {
		var until time.Time
		select {
		case <-s.c.exited:
			if until = s.c.late; s.c.linger > 0 {
				until = time.Now().Add(s.c.linger)
			}
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
func (s *Stream) wake() { _ = s.f.SetReadDeadline(time.Now()) }

func (s *Stream) end() { s.once.Do(func() { close(s.drained) }) }

// Close ends it; a Read that blocks returns.
func (s *Stream) Close() {
	s.f.Close()
	s.end()
}
