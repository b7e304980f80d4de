package daemon

import (
	"strings"
	"sync"
	"time"
)

// trust remembers for a second whether the wall clock is synchronised: it is asked for every block.
type trust struct {
	ask func() bool
	mu  sync.Mutex
	at  time.Time
	is  bool
}

func newTrust(ask func() bool) *trust { return &trust{ask: ask} }

func (t *trust) get() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if time.Since(t.at) > time.Second || t.at.IsZero() {
		t.at, t.is = time.Now(), t.ask()
	}
	return t.is
}

func splitLines(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, "\n")
}

func joinLines(list []string) string { return strings.Join(list, "\n") }
