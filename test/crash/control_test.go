package crash

import (
	"testing"
	"time"

	"edged/test/harness"
	"edged/test/load"
	"edged/test/need"
)

// A program that acknowledges before it commits, killed like the others. Its writes are slow, so that a kill finds a commit under way: what it
// holds is acknowledged and not on its way to the disk.
func TestKillUnderLoadControl(t *testing.T) {
	t.Parallel()
	e := harness.New(t, load.Config)
	e.Tag = "edged_ackfirst"
	slow := []string{need.Tool(t, "strace"), "-f", "-qq", "-o", "/dev/null", "-e", "trace=pwrite64", "-e", "inject=pwrite64:delay_enter=20000"}
	e.Wrap = slow
	e.Start()
	run := load.Under(t, e, load.Plan{Rate: 2000}, func() {
		for life := range 4 {
			before := e.Status().Receivers[0].Received
			harness.Until(t, 30*time.Second, "messages are acknowledged in this life", func() bool { return e.Status().Receivers[0].Received > before+500 })
			e.Kill()
			if life == 3 {
				e.Wrap = nil
			}
			e.Start()
		}
	})
	e.AtRest(60 * time.Second)
	load.Judge(t, e, run, "SIGKILL under load, acknowledged before the commit", "raw.ndjson").Breaks(t)
}
