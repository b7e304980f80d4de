// Package strain measures what a test itself has to wait for the processor and for the disk, so that a time that is promised can be held against a
// gateway on a machine that is busy or slow.
package strain

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// Strain is the longest that the test had to wait.
type Strain struct {
	Lag  time.Duration // for the processor, when it was due
	Disk time.Duration // for a sync of a few bytes
}

// Watch measures until stop is called, which may be done once. path is that of a file that it may write to, on the disk that the gateway has; "" is one of its own.
func Watch(t testing.TB, path string) (stop func() Strain) {
	t.Helper()
	if path == "" {
		path = filepath.Join(t.TempDir(), "probe")
	}
	var s Strain
	var wg sync.WaitGroup
	done := make(chan struct{})
	wg.Go(func() { s.Lag = longestLag(done) })
	wg.Go(func() { s.Disk = longestSync(path, done) })
	return func() Strain {
		close(done)
		wg.Wait()
		return s
	}
}

// Excuse is the longest that something may take which takes no longer than d on a machine that is idle. On its way it waits for the processor a few times, and for
// the disk.
func (s Strain) Excuse(d time.Duration) time.Duration { return d + 20*s.Lag + 6*s.Disk }

// Worse is the worst of both.
func (s Strain) Worse(than Strain) Strain {
	return Strain{max(s.Lag, than.Lag), max(s.Disk, than.Disk)}
}

func longestLag(done <-chan struct{}) (longest time.Duration) {
	const nap = 20 * time.Millisecond
	for {
		began := time.Now()
		select {
		case <-done:
			return longest
		case <-time.After(nap):
			longest = max(longest, time.Since(began)-nap)
		}
	}
}

// longestSync writes to a file and syncs it, again and again.
func longestSync(path string, done <-chan struct{}) (longest time.Duration) {
	f, err := os.Create(path)
	if err != nil {
		return 0
	}
	defer os.Remove(path)
	defer f.Close()
	for {
		began := time.Now()
		if _, err := f.WriteAt([]byte(began.String()), 0); err != nil || f.Sync() != nil {
			return longest
		}
		longest = max(longest, time.Since(began))
		select {
		case <-done:
			return longest
		case <-time.After(100 * time.Millisecond):
		}
	}
}
