package delivery

// size is how large a delivery may be, in bytes of log. A sink that refuses one for its size halves it, and each turn
// that gets on lets it grow by a little: a server that takes less than the configuration says is asked for too much in one of about
// forty turns, not each time, and one row of great size does not make deliveries small for ever.
type size struct{ most, now int64 }

const (
	growth   = 64      // it grows by this part of itself: 45 turns double it
	smallest = 1 << 10 // no refusal makes it smaller
)

func (s *size) refused(bytes int64) {
	if bytes > 0 {
		s.now = min(s.now, max(bytes/2, smallest))
	}
}

func (s *size) taken() { s.now = min(s.now+max(s.now/growth, 1), s.most) }
