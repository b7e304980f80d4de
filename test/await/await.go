// Package await waits for what must happen, and keeps what was logged meanwhile.
package await

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"time"
)

// Patience is how long anything may take: longer than a disk stands still for half a minute while other tests sync, on a machine of a tenth of the usual
// speed. Nothing is promised by it, and who waits for so long waits in vain.
const Patience = 3 * time.Minute

// Soon waits for a condition, and fails the test if it does not come true in time.
func Soon(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(Patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("did not happen: %s", what)
		}
	}
}

// Log is a log that a test can read while it is written.
type Log struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write implements io.Writer.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

// Count is how often a text was logged.
func (l *Log) Count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.buf.String(), text)
}

// String is everything that was logged.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}
