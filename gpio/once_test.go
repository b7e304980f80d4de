package gpio

import (
	"log/slog"
	"testing"
)

// TestOnce: a failure is news until somebody has said it, and again after everybody has recovered from it.
func TestOnce(t *testing.T) {
	var j journal
	var s said
	logger := func(pin string) *slog.Logger {
		return slog.New(once{j.log().Handler(), pin, &s}).With("room", "gpio").WithGroup("part")
	}
	a, b := logger("a"), logger("b")
	for _, step := range []struct {
		do   func()
		want int
	}{
		{func() { a.Warn("failed", "error", "no chip") }, 1},
		{func() { a.Warn("failed", "error", "no chip") }, 1},
		{func() { b.Warn("failed", "error", "no chip") }, 1},
		{func() { b.Warn("failed", "error", "no line") }, 2},
		{func() { b.Warn("failed", "error", "no chip") }, 2},
		{func() { s.clear("a"); a.Warn("failed", "error", "no chip") }, 2},
		{func() { s.clear("a"); s.clear("b"); a.Warn("failed", "error", "no chip") }, 3},
		{func() { a.Warn("something else") }, 4},
	} {
		step.do()
		if got := len(j.lines("room=gpio")); got != step.want {
			t.Fatalf("%d lines, want %d: %q", got, step.want, j.lines(""))
		}
	}
	if s.clear("c") {
		t.Error("a pin that never failed has recovered")
	}
}
