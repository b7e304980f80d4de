package fault

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"edged/test/cgroup"
	"edged/test/harness"
	"edged/test/load"
	"edged/test/rawmqtt"
	"edged/test/verdict"
)

const small = 64 << 20 // bytes of memory, the kernel's share included

// limited is a gateway in a cgroup. alive fails the test if the kernel has killed it, and says how close it was.
func limited(t *testing.T, config string, bytes int) (e *harness.Edged, alive func() string) {
	t.Helper()
	g := cgroup.Memory(t, bytes)
	e = harness.New(t, config)
	e.Wrap = g.Wrap
	return e, func() string {
		t.Helper()
		if n := g.Killed(t); n > 0 {
			t.Errorf("the kernel has killed it %d times, for want of memory", n)
		}
		return fmt.Sprintf("%d MiB at most, of %d; at the limit %d times", g.Figure(t, "memory.max_usage_in_bytes")>>20, bytes>>20, g.Figure(t, "memory.failcnt"))
	}
}

// length is how long a load lasts.
func length(quick, long time.Duration) time.Duration {
	if all() {
		return long
	}
	return quick
}

// 2,000 messages a second in 64 MiB, and a kill with a recovery in them.
func TestSmallMemory(t *testing.T) {
	t.Parallel()
	e, alive := limited(t, load.Config, small)
	e.Start()
	d := length(5*time.Second, time.Minute)
	run := load.Under(t, e, load.Plan{Rate: 2000, For: d + time.Second}, func() {
		time.Sleep(d / 2)
		e.Kill()
		e.Start()
	})
	e.AtRest(time.Minute)
	v := load.Judge(t, e, run, fmt.Sprintf("64 MiB of memory, 2,000 messages a second for %v, killed once", d), "raw.ndjson")
	v.Expected = alive()
	v.Holds(t)
	load.SameCounts(t, e, e.Rows("raw.ndjson"))
	if run.Acked < int64(d.Seconds()*2000*8/10) {
		t.Errorf("%d acknowledged in %v: it did not keep up", run.Acked, d)
	}
}

// The control: the limit is a real one, and a program that acknowledges before it commits loses messages when it is hit.
func TestTooLittleMemoryControl(t *testing.T) {
	if !all() {
		t.Skip("only in the long form (EDGED_TEST=all)")
	}
	t.Parallel()
	v := outOfMemory(t)
	for tries := 1; v.Lost == 0 && tries < 4; tries++ { // it may be killed between two commits
		v = outOfMemory(t)
	}
	v.Breaks(t)
}

func outOfMemory(t *testing.T) verdict.Verdict {
	g := cgroup.Memory(t, small)
	e := harness.New(t, load.With(load.Config, "store", `memory_cache = "256MiB"`)+"\n")
	e.Tag = "edged_ackfirst"
	e.Wrap = append([]string{"env", "GOGC=off", "GOMEMLIMIT=off"}, g.Wrap...) // memory grows until the kernel ends it
	e.Start()
	ended := e.Ended()
	run := load.Under(t, e, load.Plan{Rate: 20000, For: 8 * time.Second, Extra: []string{"-pad", "2000", "-w", "50"}}, func() {
		select {
		case <-ended:
		case <-time.After(20 * time.Second):
			t.Error("64 MiB were enough for a program that frees nothing")
		}
		e.Kill()
		e.Wrap = nil
		e.Start()
	})
	if g.Killed(t) == 0 {
		t.Error("the kernel has not killed it: the limit is none")
	}
	e.AtRest(time.Minute)
	return load.Judge(t, e, run, "64 MiB of memory without bounds, acknowledging before the commit", "raw.ndjson")
}

// Every message to a topic of its own.
func TestManyTopics(t *testing.T) {
	t.Parallel()
	e, alive := limited(t, load.Config, small)
	e.Start()
	topics, rate := 100_000, 15_000
	if all() {
		topics, rate = 1_000_000, 10_000
	}
	const conns = 20
	run := load.Under(t, e, load.Plan{Conns: conns, Rate: rate, For: 10 * time.Minute, // or until all are sent
		Extra: []string{"-pins", fmt.Sprint(topics / conns), "-topic", "site/{conn}/gpio/{pin}", "-m", fmt.Sprint(topics)}}, func() {})
	e.AtRest(2 * time.Minute)
	raw := e.Rows("raw.ndjson")
	seen := map[string]bool{}
	for _, r := range raw {
		seen[fmt.Sprint(r["topic"])] = true
	}
	v := load.Judge(t, e, run, fmt.Sprintf("%d messages to %d topics in 64 MiB", run.Acked, len(seen)), "raw.ndjson")
	v.Expected = alive()
	v.Holds(t)
	if len(seen) < topics {
		t.Errorf("%d topics, want %d: the test did not do what it says", len(seen), topics)
	}
	load.SameCounts(t, e, raw)
}

// Retained messages to more topics than are kept: the others are refused with a reason, and what was acknowledged is there after a restart.
func TestManyRetained(t *testing.T) {
	t.Parallel()
	most, tries := 2000, 3000
	config := load.With(load.Config, "broker", fmt.Sprintf("max_retained = %d", most))
	if all() {
		most, tries = 10_000, 1_000_000 // the default
		config = load.Config
	}
	e, alive := limited(t, config, small)
	e.Start()
	w, _ := rawmqtt.Login(t, fmt.Sprintf("127.0.0.1:%d", e.Broker), rawmqtt.Connect{ID: "retainer", V5: true})
	const window = 100
	taken, refused := 0, 0
	for at := 0; at < tries; at += window {
		var ms []rawmqtt.Publish
		for i := range window {
			ms = append(ms, rawmqtt.Publish{Topic: fmt.Sprintf("site/%d/state/%d", at/window, i), Payload: `{"value":1}`, QoS: 1, ID: uint16(i + 1), Retain: true})
		}
		w.Publish(ms...)
		for range window {
			switch f := w.Read(); f.Code() {
			case 0, 0x10:
				taken++
			case 0x97:
				refused++
			default:
				t.Fatalf("%v", f)
			}
		}
	}
	e.AtRest(time.Minute)
	if err := e.Stop(); err != nil {
		t.Fatal(err)
	}
	e.Start()
	kept := 0
	if b := e.Status().Broker; b != nil {
		kept = b.Retained
	}
	rows := len(e.Rows("raw.ndjson"))
	verdict.Verdict{Fault: fmt.Sprintf("retained messages to %d topics, in 64 MiB", tries), Acked: int64(taken), Lost: int64(max(0, taken-kept) + max(0, taken-rows)),
		Doubled: int64(max(0, rows-taken)), Expected: fmt.Sprintf("%d refused with 0x97; %s", refused, alive())}.Holds(t)
	if taken != most || refused != tries-most {
		t.Errorf("%d taken and %d refused, want %d and %d", taken, refused, most, tries-most)
	}
}

// 10,000 groups in a window of a day, saved every two seconds, killed and started again; at the end the definition changes, which has the
// open window leave as it is.
func TestADayLongWindow(t *testing.T) {
	t.Parallel()
	day := strings.Replace(load.Config, "tumbling 2s", "tumbling 24h", 1)
	e, alive := limited(t, day, small)
	e.Start()
	kills, every := 2, 2500*time.Millisecond
	if all() {
		kills, every = 10, 6*time.Second
	}
	const groups, conns = 10_000, 20
	run := load.Under(t, e, load.Plan{Conns: conns, Rate: 4000, For: time.Duration(kills+1) * every, Extra: []string{"-pins", fmt.Sprint(groups / conns)}}, func() {
		for range kills {
			time.Sleep(every)
			e.Kill()
			e.Start()
		}
		harness.Until(t, time.Minute, "all groups are in the window", func() bool { return held(e) >= groups })
	})
	e.AtRest(time.Minute)
	if err := e.Stop(); err != nil {
		t.Fatal(err)
	}
	e.Configure(strings.Replace(day, `n = "count()"`, `n = "count()", high = "max(value)"`, 1))
	e.Start()
	v := load.Judge(t, e, run, fmt.Sprintf("%d groups in a window of a day, in 64 MiB, killed %d times", groups, kills), "raw.ndjson")
	v.Expected = alive()
	load.SameCounts(t, e, e.Rows("raw.ndjson"))
	v.Holds(t)
}

// held is the most groups that a stream holds.
func held(e *harness.Edged) (n int) {
	for _, st := range e.Status().Streams {
		n = max(n, st.Groups)
	}
	return n
}
