package power

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// probe is a test inside a test: what fails in it is told, and does not fail the test, because a control is to fail.
type probe struct {
	testing.TB
	mu       sync.Mutex
	said     []string
	fatal    bool
	cleanups []func()
}

func (*probe) Helper() {}

func (p *probe) Failed() bool { return p.text() != "" }

func (p *probe) Cleanup(f func()) { p.cleanups = append(p.cleanups, f) }

func (p *probe) TempDir() string {
	dir, err := os.MkdirTemp("", "edged-power-")
	if err != nil {
		p.Fatal(err)
	}
	p.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func (p *probe) Logf(format string, args ...any) { p.say(format, args...) }

func (p *probe) Errorf(format string, args ...any) { p.say(format, args...) }

func (p *probe) Fatal(args ...any) { p.Fatalf("%s", fmt.Sprint(args...)) }

// Fatalf ends the goroutine.
func (p *probe) Fatalf(format string, args ...any) {
	p.say(format, args...)
	p.fatal = true
	runtime.Goexit()
}

func (p *probe) say(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.said = append(p.said, fmt.Sprintf(format, args...))
}

func (p *probe) text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.said, "\n")
}

// end runs the cleanups, the last first.
func (p *probe) end() {
	for i := len(p.cleanups) - 1; i >= 0; i-- {
		p.cleanups[i]()
	}
}
