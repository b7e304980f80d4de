package seldom

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"edged/test/await"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newLog(w io.Writer) *Log { return New(slog.New(slog.NewTextHandler(w, nil))) }

func TestOneLineAMinuteWithTheNumberLeftOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out await.Log
		l := newLog(&out)
		for range 500 {
			l.Warn("a", "first")
			if l.Due("a") {
				t.Fatal("due again at once")
			}
			l.Warn("b", "other")
		}
		synctest.Wait()
		if n := out.Count("\n"); n != 2 {
			t.Fatalf("%d lines for two kinds:\n%s", n, &out)
		}
		time.Sleep(Every)
		if !l.Due("a") {
			t.Fatal("not due after a minute")
		}
		l.Warn("a", "again")
		synctest.Wait()
		if out.Count("msg=again not_logged=999") != 1 {
			t.Fatalf("the number left out is missing: %s", &out)
		}
		time.Sleep(Every)
		l.Warn("a", "once more")
		synctest.Wait()
		if !strings.HasSuffix(out.String(), "msg=\"once more\"\n") {
			t.Fatalf("nothing was left out: %s", &out)
		}
	})
}

// held is a log that cannot be written until the test says so.
type held struct {
	await.Log
	hold chan struct{}
}

func (h *held) Write(p []byte) (int, error) { <-h.hold; return h.Log.Write(p) }

// A log that blocks stops nobody; lines come in their order and with the time of their events, and those that are lost are counted.
func TestALogThatBlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &held{hold: make(chan struct{})}
		l := newLog(out)
		began := time.Now()
		l.Warn("first", "line first")
		synctest.Wait() // it is being written
		for i := range waiting + 10 {
			l.Warn(fmt.Sprint(i), fmt.Sprint("line ", i))
		}
		if !l.Due(fmt.Sprint(waiting)) || l.Due("0") {
			t.Error("only what has been said is not due")
		}
		time.Sleep(time.Second)
		close(out.hold)
		synctest.Wait()
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		if len(lines) != 1+waiting+1 || !strings.HasSuffix(lines[waiting+1], "lines=10") {
			t.Fatalf("%d lines, the last: %s", len(lines), lines[len(lines)-1])
		}
		for i, line := range lines[1 : waiting+1] {
			if !strings.HasSuffix(line, fmt.Sprintf(`msg="line %d"`, i)) {
				t.Fatalf("%d: %s", i, line)
			}
		}
		if !strings.HasPrefix(lines[1], "time="+began.Format("2006-01-02T15:04:05.000")) {
			t.Errorf("not the time of its event: %s", lines[1])
		}
		l.Warn(fmt.Sprint(waiting), "said after all")
		synctest.Wait()
		if out.Count("said after all") != 1 {
			t.Error("a line that was lost keeps the next of its kind away")
		}
	})
}

func TestWhatIsNotDueCostsNoAllocation(t *testing.T) {
	l := newLog(io.Discard)
	l.Warn("a", "first")
	n := 0
	allocs := testing.AllocsPerRun(100, func() {
		if n++; l.Due("a") {
			l.Warn("a", "again", "n", n, "text", fmt.Sprint(n))
		}
	})
	if allocs > 0 {
		t.Errorf("%v allocations", allocs)
	}
}
