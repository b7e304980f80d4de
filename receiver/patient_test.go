package receiver

import (
	"testing"
	"testing/synctest"
	"time"
)

// Lines of a file, for which nobody waits, ask for no early commit, however many they are and however long they wait; somebody who waits
// does, beside them, too.
func TestWhoDoesNotWaitAsksForNoEarlyCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, s := setup(nil)
		lines, urgent := &passed{news: make(chan struct{}, 1)}, &acker{}
		run(t, g, func() {
			for i := range 100 {
				take(t, g, "x", "p", lines, lines.line(int64(i)+1))
			}
			time.Sleep(time.Second)
			if s.waiting.Load()+s.hurried.Load() > 0 {
				t.Errorf("asked for %d early and %d urgent commits", s.waiting.Load(), s.hurried.Load())
			}
			take(t, g, "x", "p", urgent, 1)
			if s.waiting.Load() != 1 {
				t.Error("somebody who waits is not heard")
			}
			s.commit(nil)
			if off, settled, _ := lines.state(); off != 100 || !settled || len(urgent.tokens) != 1 {
				t.Errorf("position %d, settled %t", off, settled)
			}
			take(t, g, "x", string(make([]byte, wakeBytes)), lines, lines.line(101))
			if s.waiting.Load() != 2 {
				t.Error("many bytes are not heard")
			}
			s.commit(nil)
		})
	})
}
