package gpio

import (
	"context"
	"log/slog"
	"sync"
)

// said remembers which failures of pins were logged. supervise logs every attempt, and a chip that is missing for a week
// must not fill the journal; one that is missing for ten pins is one line too.
type said struct {
	mu    sync.Mutex
	texts map[string]string // what each failing pin fails with
}

// first notes that a pin fails with text, and reports whether that is news: no pin fails with it yet.
func (s *said) first(pin, text string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	news := true
	for _, t := range s.texts {
		news = news && t != text
	}
	if s.texts == nil {
		s.texts = map[string]string{}
	}
	s.texts[pin] = text
	return news
}

// clear notes that a pin works, and reports whether it had failed.
func (s *said) clear(pin string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, failed := s.texts[pin]
	delete(s.texts, pin)
	return failed
}

// once keeps back records whose "error" is already said.
type once struct {
	slog.Handler
	pin  string
	said *said
}

func (o once) Handle(ctx context.Context, r slog.Record) error {
	news := true
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "error" {
			news = o.said.first(o.pin, a.Value.String())
			return false
		}
		return true
	})
	if !news {
		return nil
	}
	return o.Handler.Handle(ctx, r)
}

func (o once) WithAttrs(attrs []slog.Attr) slog.Handler {
	return once{o.Handler.WithAttrs(attrs), o.pin, o.said}
}

func (o once) WithGroup(name string) slog.Handler {
	return once{o.Handler.WithGroup(name), o.pin, o.said}
}
