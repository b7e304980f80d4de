package seldom

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestOneLineAMinuteWithTheNumberLeftOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		l := New(slog.New(slog.NewTextHandler(&out, nil)))
		for range 1000 {
			l.Warn("a", "first")
			l.Warn("b", "other")
		}
		if n := strings.Count(out.String(), "\n"); n != 2 {
			t.Fatalf("%d lines for two kinds:\n%s", n, out.String())
		}
		time.Sleep(Every)
		out.Reset()
		l.Warn("a", "again")
		if !strings.Contains(out.String(), "not_logged=999") {
			t.Fatalf("the number left out is missing: %s", out.String())
		}
		time.Sleep(Every)
		out.Reset()
		l.Warn("a", "once more")
		if strings.Contains(out.String(), "not_logged") {
			t.Fatalf("nothing was left out: %s", out.String())
		}
	})
}
