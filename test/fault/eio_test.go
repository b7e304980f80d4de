package fault

import (
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"edged/test/harness"
	"edged/test/load"
	"edged/test/verdict"
)

type failing struct {
	name, rule, reason string
}

// The store's disk reports an error: nothing is acknowledged after it, the process ends by itself and says why, and the next start serves.
func TestTheStoreCannotBeWritten(t *testing.T) {
	cases := []failing{
		{"EIO at syncs of the store", "fdatasync:error=EIO", "input/output error"},
		{"EIO at writes of the store", "pwrite64:error=EIO", "input/output error"},
		{"a sync of the store says that there is no space", "fdatasync:error=ENOSPC", "no space left on device"},
	}
	if all() { // at the one after so many: between a block's pages, before and after its meta page
		for k := 2; k <= 12; k++ {
			cases = append(cases, failing{fmt.Sprintf("EIO at sync %d of the store", k), fmt.Sprintf("fdatasync:error=EIO:when=%d+", k), "input/output error"},
				failing{fmt.Sprintf("EIO at write %d of the store", k), fmt.Sprintf("pwrite64:error=EIO:when=%d+", k), "input/output error"})
		}
	}
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if i > 0 {
				long(t)
			}
			t.Parallel()
			v, e := fails(t, c, "")
			v.Holds(t)
			load.SameCounts(t, e, e.Rows("raw.ndjson"))
		})
	}
}

// A program that acknowledges before it commits loses what the failing commit held.
func TestTheStoreCannotBeWrittenControl(t *testing.T) {
	t.Parallel()
	// The syncs are slow and the first writes succeed, so that the commit that fails holds more than a message.
	// Whether it was publishers whom it held, and not only the streams, is a matter of luck.
	c := failing{"EIO at writes of the store, acknowledged before the commit", "pwrite64:error=EIO:when=20+ fdatasync:delay_exit=50000", "input/output error"}
	v, _ := fails(t, c, "edged_ackfirst")
	for tries := 1; v.Lost == 0 && tries < 5; tries++ {
		v, _ = fails(t, c, "edged_ackfirst")
	}
	v.Breaks(t)
}

func fails(t *testing.T, c failing, tag string) (verdict.Verdict, *harness.Edged) {
	e := harness.New(t, load.Config)
	e.Tag = tag
	e.Start()
	run := load.Under(t, e, load.Plan{Rate: 2000, For: 2500 * time.Millisecond}, func() {
		harness.Until(t, 30*time.Second, "something is acknowledged", func() bool { return e.Metric("edged_store_messages_total") > 500 })
		heal := inject(t, e, e.Dir+"/edged.db", c.rule)
		err := e.Wait(30 * time.Second)
		heal()
		if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || exit.ExitCode() != 1 {
			t.Errorf("it ended with %v, want exit status 1", err)
		}
		if !strings.Contains(e.Log(), "could not be written: ") || !strings.Contains(e.Log(), c.reason) {
			t.Errorf("the log does not say %q", c.reason)
		}
		e.Start()
	})
	e.AtRest(30 * time.Second)
	v := load.Judge(t, e, run, c.name, "raw.ndjson")
	v.Expected = "exit status 1 with the reason; served after the next start"
	return v, e
}

// A sink's file reports errors for a while: that sink waits and says so, the others go on, and it recovers by itself.
func TestASinkCannotBeWritten(t *testing.T) {
	cases := []failing{
		{"EIO at writes to the file of a sink", "write:error=EIO", "input/output error"},
		{"EIO at syncs of the file of a sink", "fsync:error=EIO", "input/output error"},
		{"the quota is used up at writes to the file of a sink", "write:error=EDQUOT", "quota"},
		{"the file of a sink may not grow", "write:error=EFBIG", "cannot grow further"},
	}
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if i > 1 {
				long(t)
			}
			t.Parallel()
			e := harness.New(t, load.Config)
			e.Start()
			run := load.Under(t, e, load.Plan{Rate: 1000, For: 3 * time.Second}, func() {
				harness.Until(t, 30*time.Second, "there are rows", func() bool { return len(e.Rows("raw.ndjson")) > 0 })
				heal := inject(t, e, e.Dir+"/raw.ndjson", c.rule)
				says(t, e, "sink archive", c.reason)
				before := deliveryOf(t, e.Status(), "pins", "aggregates").Delivered
				harness.Until(t, 30*time.Second, "the other sink goes on", func() bool { return deliveryOf(t, e.Status(), "pins", "aggregates").Delivered > before })
				heal()
			})
			e.AtRest(60 * time.Second)
			if h := sinkOf(t, e.Status(), "archive").Health; h.Problem != "" {
				t.Errorf("the sink is still %+v", h)
			}
			v := load.Judge(t, e, run, c.name, "raw.ndjson")
			v.Expected = "the sink waited and said so, the other went on, it recovered by itself"
			v.Holds(t)
			load.SameCounts(t, e, e.Rows("raw.ndjson"))
			if i == 0 {
				demonstrate(t, e, run, c.name, "raw.ndjson")
			}
		})
	}
}
