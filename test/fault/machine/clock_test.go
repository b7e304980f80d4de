package machine

import (
	"testing"
	"time"

	"edged/test/harness"
	"edged/test/load"
)

func TestClock(t *testing.T) {
	if !(Machine{}).Inside(t) {
		return
	}
	e := harness.New(t, load.Config)
	e.Start()
	run := load.Under(t, e, load.Plan{Rate: 500, For: 3*time.Second}, func() {})
	e.AtRest(30 * time.Second)
	load.Judge(t, e, run, "nothing", "raw.ndjson").Holds(t)
	rows := e.Rows("raw.ndjson")
	load.SameCounts(t, e, rows)
	t.Log(rows[0], e.Rows("aggregates.ndjson")[0])
}
