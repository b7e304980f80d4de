package harness

import (
	"fmt"
	"os"
	"testing"
)

// Shared is the life of a package's tests, for what they use together: its Cleanup runs after the last of them. It is made in
// TestMain, and lets New be called there.
type Shared struct {
	testing.TB // nil: what is not below cannot be used
	failed     bool
	cleanups   []func()
}

// Helper implements testing.TB.
func (*Shared) Helper() {}

// Cleanup implements testing.TB.
func (s *Shared) Cleanup(f func()) { s.cleanups = append(s.cleanups, f) }

// Failed implements testing.TB.
func (s *Shared) Failed() bool { return s.failed }

// Logf implements testing.TB.
func (*Shared) Logf(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }

// Fatal implements testing.TB.
func (s *Shared) Fatal(args ...any) { panic(fmt.Sprint(args...)) }

// Fatalf implements testing.TB.
func (s *Shared) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

// Errorf implements testing.TB.
func (s *Shared) Errorf(format string, args ...any) { s.failed = true; s.Logf(format, args...) }

// TempDir implements testing.TB.
func (s *Shared) TempDir() string {
	dir, err := os.MkdirTemp("", "edged-test-")
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// Main runs the tests, ends what they used together, and exits.
func (s *Shared) Main(m *testing.M) {
	code := m.Run()
	s.failed = code != 0
	for len(s.cleanups) > 0 {
		last := len(s.cleanups) - 1
		f := s.cleanups[last]
		s.cleanups = s.cleanups[:last]
		f()
	}
	if build.dir != "" {
		_ = os.RemoveAll(build.dir)
	}
	if s.failed && code == 0 {
		code = 1
	}
	os.Exit(code)
}
