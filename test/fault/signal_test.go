package fault

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"edged/test/harness"
	"edged/test/load"
	"edged/test/need"
	"edged/test/strain"
	"edged/test/verdict"
)

// drained is how long a stop may take until the process is gone: 5 s for what was taken, and a moment to end.
const drained = 6 * time.Second

// term sends SIGTERM, waits for the end, and returns how long it took and how the process ended: "" for exit code 0.
func term(t *testing.T, e *harness.Edged) (took time.Duration, how string) {
	t.Helper()
	began := time.Now()
	if err := syscall.Kill(e.PID(), syscall.SIGTERM); err != nil && err != syscall.ESRCH { // an earlier one may have ended it just now
		t.Fatal(err)
	}
	err := e.Wait(3 * drained)
	if took = time.Since(began); err != nil {
		how = err.Error()
	}
	return took, how
}

// slowSyncs wraps the process in a tracer that delays every fdatasync. The process keeps its parent and its id.
func slowSyncs(t *testing.T, delay time.Duration) []string {
	return delayed(t, "fdatasync:delay_exit", delay)
}

// delayed wraps the process in a tracer that delays a call, before or after it.
func delayed(t *testing.T, call string, by time.Duration) []string {
	name, _, _ := strings.Cut(call, ":")
	return []string{need.Tool(t, "strace"), "-D", "-f", "-qq", "-o", "/dev/null", "-e", "trace=" + name, "-e", fmt.Sprintf("inject=%s=%d", call, by.Microseconds())}
}

const cloud = `
[sink.cloud]
type = "http"
url = "%s"
timeout = "30s"
batch_age = "200ms"
`

// SIGTERM while it starts, recovers, works and waits for a server that does not answer: each stop is drained within 5 s with exit code 0.
func TestTermAtAnyMoment(t *testing.T) {
	t.Parallel()
	server := harness.NewServer(t)
	e := harness.New(t, strings.Replace(load.Config, `sinks = ["archive"]`, `sinks = ["archive", "cloud"]`, 1)+fmt.Sprintf(cloud, server.URL))
	e.Start()
	moments := []int{0, 40, 250, 1000} // ms after the launch
	if all() {
		for ms := 1; ms < 1500; ms += 31 {
			moments = append(moments, ms)
		}
	}
	slowest, early := time.Duration(0), 0
	strained := strain.Watch(t, "")
	var late []string // what was not in time
	release := make(chan struct{})
	run := load.Under(t, e, load.Plan{Rate: 2000, For: time.Duration(len(moments)) * 2000 * time.Millisecond}, func() {
		time.Sleep(300 * time.Millisecond)
		for i, ms := range moments {
			if i == len(moments)/2 {
				server.Hold(func() { <-release })
			}
			if err := e.Stop(); err != nil {
				t.Errorf("stop %d: %v", i, err)
			}
			if i%3 == 2 {
				e.Start()
				e.Kill() // the next start recovers
			}
			before := len(e.Log())
			e.Launch()
			time.Sleep(time.Duration(ms) * time.Millisecond)
			took, how := term(t, e)
			slowest = max(slowest, took)
			switch said := e.Log()[before:]; {
			case strings.Contains(how, "signal: terminated") && said == "":
				early++ // before it had begun
			case strings.Contains(said, "did not stop in time"):
				late = append(late, fmt.Sprintf("SIGTERM %d ms after the launch: %s\n%s", ms, how, tail(said)))
			case how != "":
				t.Errorf("SIGTERM %d ms after the launch: %s\n%s", ms, how, tail(said))
			}
			e.Start()
		}
	})
	close(release)
	if s := strained(); slowest > s.Excuse(drained) || len(late) > 0 && s.Excuse(0) < drained {
		t.Errorf("the slowest stop took %v; the test itself waited: %+v; %s", slowest, s, strings.Join(late, "\n"))
	}
	server.Hold(nil)
	e.AtRest(30 * time.Second)
	v := load.Judge(t, e, run, fmt.Sprintf("SIGTERM at %d moments of a life, half of them with a sink that does not answer", len(moments)), "raw.ndjson")
	raw := e.Rows("raw.ndjson")
	v.Lost += missingRows(raw, server.Rows())
	v.Expected = fmt.Sprintf("the slowest stop took %v; %d came before the program had begun", slowest.Round(time.Millisecond), early)
	v.Holds(t)
	load.SameCounts(t, e, raw)
	if _, _, other := server.Keys(); len(other) > 0 {
		t.Errorf("%d keys came with other bytes", len(other))
	}
}

// missingRows counts the rows of want that have does not hold.
func missingRows(want, have []map[string]any) (n int64) {
	key := func(r map[string]any) string {
		p, _ := r["payload"].(map[string]any)
		return fmt.Sprint(r["topic"], p["seq"])
	}
	there := map[string]bool{}
	for _, r := range have {
		there[key(r)] = true
	}
	for _, r := range want {
		if !there[key(r)] {
			n++
		}
	}
	return n
}

func tail(log string) string { return log[max(0, len(log)-1500):] }

// On a slow disk, a stop is drained in time or says what was not.
func TestTermOnASlowDisk(t *testing.T) {
	t.Parallel()
	slow := [][]string{slowSyncs(t, 50*time.Millisecond), slowSyncs(t, 500*time.Millisecond)}
	e := harness.New(t, load.Config)
	stops := 2
	if all() {
		stops = 12
	}
	e.Wrap = slow[0]
	e.Start()
	inTime, slowest, strained := 0, time.Duration(0), strain.Watch(t, "")
	run := load.Under(t, e, load.Plan{Rate: 1000, For: time.Duration(stops) * 4 * time.Second}, func() {
		for i := range stops {
			time.Sleep(time.Duration(700+i*173%600) * time.Millisecond)
			before := len(e.Log())
			took, how := term(t, e)
			slowest = max(slowest, took)
			switch said := e.Log()[before:]; {
			case how == "":
				inTime++
			case strings.Contains(said, "did not stop in time"):
			default:
				t.Errorf("after %v: %q\n%s", took, how, tail(said))
			}
			e.Wrap = slow[(i+1)%2]
			e.Start()
		}
	})
	if s := strained(); slowest > s.Excuse(drained) {
		t.Errorf("the slowest stop took %v; the test itself waited: %+v", slowest, s)
	}
	e.Kill()
	e.Wrap = nil
	e.Start()
	e.AtRest(30 * time.Second)
	v := load.Judge(t, e, run, fmt.Sprintf("SIGTERM on a disk of 50 ms and 500 ms a sync, %d times", stops), "raw.ndjson")
	v.Expected = fmt.Sprintf("%d drained, the others said that they were not", inTime)
	v.Holds(t)
	load.SameCounts(t, e, e.Rows("raw.ndjson"))
}

// twice is a second SIGTERM while the first stop waits for a slow disk: it ends the process at once.
func twice(t *testing.T, e *harness.Edged, times int, fault string, slow []string) (v verdict.Verdict) {
	e.Start()
	slowest, strained := time.Duration(0), strain.Watch(t, "")
	cut := func() int { return strings.Count(e.Log(), "a second signal") }
	run := load.Under(t, e, load.Plan{Rate: 2000, For: time.Duration(times) * 2 * time.Second}, func() {
		for i := 0; i < times || cut() == 0 && i < times+20; i++ { // a stop may be over before it is cut short
			e.Kill()
			e.Wrap = slow
			e.Start()
			taken := e.Status().Receivers[0].Received
			harness.Until(t, 30*time.Second, "messages are taken in", func() bool { return e.Status().Receivers[0].Received > taken+200 })
			before := strings.Count(e.Log(), "stopping:")
			if err := syscall.Kill(e.PID(), syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			harness.Until(t, 30*time.Second, "the stop has begun", func() bool { return strings.Count(e.Log(), "stopping:") > before })
			time.Sleep(time.Duration(70*i%200) * time.Millisecond)
			took, how := term(t, e)
			slowest = max(slowest, took)
			if how != "exit status 1" && how != "" {
				t.Errorf("a second SIGTERM: %q after %v\n%s", how, took, tail(e.Log()))
			}
			e.Wrap = nil
			e.Start()
		}
	})
	if s := strained(); slowest > s.Excuse(time.Second) {
		t.Errorf("the slowest end after a second SIGTERM took %v; the test itself waited: %+v", slowest, s)
	}
	e.AtRest(30 * time.Second)
	if cut() == 0 {
		t.Error("no stop was cut short")
	}
	v = load.Judge(t, e, run, fmt.Sprintf("a second SIGTERM while the first waits, %d times%s", times, fault), "raw.ndjson")
	v.Expected = fmt.Sprintf("ended after %v at most", slowest.Round(time.Millisecond))
	return v
}

func TestSecondTerm(t *testing.T) {
	t.Parallel()
	e := harness.New(t, load.Config)
	times := 2
	if all() {
		times = 10
	}
	twice(t, e, times, "", slowSyncs(t, 400*time.Millisecond)).Holds(t)
	load.SameCounts(t, e, e.Rows("raw.ndjson"))
}

func TestSecondTermControl(t *testing.T) {
	t.Parallel()
	e := harness.New(t, load.Config)
	e.Tag = "edged_ackfirst"
	// What is written a killed process leaves behind, synced or not: it is the writes that are slow.
	twice(t, e, 6, ", acknowledging before the commit", delayed(t, "pwrite64:delay_enter", 100*time.Millisecond)).Breaks(t)
}

// Stopped and continued, it goes on where it was.
func TestStoppedAndContinued(t *testing.T) {
	t.Parallel()
	e := harness.New(t, load.Config)
	e.Start()
	stop, times := 5*time.Second, 1
	if all() {
		stop, times = 20*time.Second, 3
	}
	run := load.Under(t, e, load.Plan{Rate: 2000, For: time.Duration(times) * (stop + 2*time.Second)}, func() {
		for range times {
			time.Sleep(time.Second)
			if err := syscall.Kill(e.PID(), syscall.SIGSTOP); err != nil {
				t.Fatal(err)
			}
			time.Sleep(stop)
			if err := syscall.Kill(e.PID(), syscall.SIGCONT); err != nil {
				t.Fatal(err)
			}
		}
	})
	e.AtRest(30 * time.Second)
	v := load.Judge(t, e, run, fmt.Sprintf("SIGSTOP for %v, then SIGCONT, %d times", stop, times), "raw.ndjson")
	v.Expected = fmt.Sprintf("%d messages were repeated", run.Resent)
	v.Holds(t)
	load.SameCounts(t, e, e.Rows("raw.ndjson"))
	if s := e.Status(); s.State != "started" || len(s.Problems) > 0 {
		t.Errorf("afterwards it is %s: %v", s.State, s.Problems)
	}
}
