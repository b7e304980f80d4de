package fault

import (
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"edged/test/fault/netns"
	"edged/test/harness"
	"edged/test/load"
)

// The cable to the endpoint is pulled in the middle of a request: after it took the rows, and before its answer got through; edged is killed while it
// waits. When the cable is back everything arrives, in order, and what was taken is known by its key.
func TestSinkBehindACutLink(t *testing.T) {
	t.Parallel()
	link := netns.New(t)
	var life atomic.Int32
	var cut atomic.Bool
	end := newEndpoint(t, "far", &life, nil)
	end.ill = func(p *post) {
		p.take()
		if cut.CompareAndSwap(true, false) {
			link.Cut()
		}
		p.answer(204)
	}
	end.serve(link.Listen())
	config := strings.Replace(load.Config, `sinks = ["archive"]`, `sinks = ["archive", "far"]`, 1) +
		fmt.Sprintf("[sink.far]\ntype = \"http\"\nurl = \"http://%s/in\"\ntimeout = \"2s\"\n", end.addr)
	e := harness.New(t, config)
	e.Start()
	cuts := 1
	if all() {
		cuts = 8
	}
	paused, said := pause{path: filepath.Join(e.Dir, "raw.ndjson")}, ""
	run := load.Under(t, e, load.Plan{Rate: 250}, func() {
		for i := range cuts {
			before := len(end.rows("raw"))
			harness.Until(t, 30*time.Second, "rows get through", func() bool { return len(end.rows("raw")) > before })
			cut.Store(true)
			harness.Until(t, 10*time.Second, "the cable is pulled", func() bool { return !cut.Load() })
			paused.watch(t, 3*time.Second)
			harness.Until(t, 20*time.Second, "status says it", func() bool { said = problemsOf(e)["far"]; return said != "" })
			if i%2 == 0 {
				e.Kill()
				life.Add(1)
				e.Start()
			}
			link.Mend()
		}
	})
	e.AtRest(60 * time.Second)
	v := end.judge(t, e, run, fmt.Sprintf("sink: the cable is pulled before the answer, %d times", cuts), nil)
	if v.Holds(t); end.twice < cuts {
		t.Errorf("%d requests came again after %d cuts: the answers were not lost", end.twice, cuts)
	}
	if !strings.Contains(said, "no answer within 2s") {
		t.Errorf("status says of it %q", said)
	}
	paused.judge(t)
	load.SameCounts(t, e, e.Rows("raw.ndjson"))
}
