//go:build linux

package machine

import (
	"strings"
	"testing"
	"time"

	"edged/test/harness"
	"edged/test/load"

	"golang.org/x/sys/unix"
)

// settime is one fault of time. It happens to a gateway that has run for a second, or to one that is down.
type settime struct {
	fault  string
	from   time.Time // what the clock shows at first; the present if it is zero
	quick  bool      // runs in the quick half too
	down   bool      // the gateway is killed before, and started after it
	quiet  bool      // nothing is published any more when it happens
	synced bool      // the clock is said to be synchronised afterwards
	inject func(t *testing.T, e *harness.Edged)
	epochs int // stretches of time that there are in the end
}

func step(d time.Duration) func(*testing.T, *harness.Edged) {
	return func(t *testing.T, _ *harness.Edged) { set(t, time.Now().Add(d)) }
}

var (
	present = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	in1970  = time.Unix(3600, 0) // the kernel takes no time before its own start
)

var times = []settime{
	{fault: "wall clock an hour back", quick: true, inject: step(-time.Hour), epochs: 2},
	{fault: "wall clock an hour ahead", inject: step(time.Hour), epochs: 2},
	{fault: "wall clock an hour back, with open windows and nothing more to come", quiet: true, inject: step(-time.Hour), epochs: 1},
	{fault: "wall clock a second back: held flat", inject: step(-time.Second), epochs: 1},
	{fault: "started in 1970, the clock set later", from: in1970, synced: true, epochs: 2,
		inject: func(t *testing.T, _ *harness.Edged) { set(t, present) }},
	{fault: "killed, and started with a clock an hour behind", down: true, inject: step(-time.Hour), epochs: 2},
	{fault: "killed, and started in 1970", down: true, inject: func(t *testing.T, _ *harness.Edged) { set(t, in1970) }, epochs: 2},
	{fault: "killed, and started a day later", down: true, inject: step(24 * time.Hour), epochs: 1},
	{fault: "machine suspended for 5 s (s2idle)", inject: suspend, epochs: 1},
	{fault: "suspended for an hour, monotonic time stopped", inject: sleepLong, epochs: 2},
	{fault: "SIGSTOP for 5 s", inject: freeze, epochs: 1},
}

// The clock is set while the gateway runs under load, or is down. Windows neither stall nor flood, every message is in one of them, none is late.
func TestTheClockIsSet(t *testing.T) {
	if !(Machine{}).Inside(t) {
		return
	}
	for _, f := range times {
		if !f.quick && !all() {
			continue
		}
		// The name is part of a path, in which mqttload verify would take a comma for the end of a list's item.
		t.Run(strings.ReplaceAll(f.fault, ",", ""), func(t *testing.T) {
			e := harness.New(t, load.Config)
			run := f.run(t, e)
			s := e.AtRest(30 * time.Second)
			v := load.Judge(t, e, run, f.fault, "raw.ndjson")
			w := windows(e, 20*time.Second)
			v.Lost += w.missing
			v.Doubled += w.more
			for _, st := range s.Streams {
				v.Lost += int64(st.Late)
			}
			v.Expected = epochs(t, e, f)
			if f.synced != s.Store.Trusted {
				t.Errorf("status says that the clock is trusted: %v, want %v", s.Store.Trusted, f.synced)
			}
			v.Holds(t)
		})
	}
}

// The check fails for a program that does not notice that its clock was set: its windows stall.
func TestTheClockIsSetControl(t *testing.T) {
	if !all() {
		t.Skip("the long form runs it")
	}
	if !(Machine{Tags: []string{"edged_noepochs"}}).Inside(t) {
		return
	}
	e := harness.New(t, load.Config)
	e.Tag = "edged_noepochs"
	run := times[0].run(t, e)
	e.AtRest(30 * time.Second)
	v := load.Judge(t, e, run, times[0].fault+", not noticed", "raw.ndjson")
	w := windows(e, 10*time.Second)
	v.Lost += w.missing
	v.Doubled += w.more
	v.Breaks(t)
}

func (f settime) run(t *testing.T, e *harness.Edged) load.Run {
	if f.from.IsZero() {
		f.from = present
	}
	set(t, f.from)
	e.Start()
	plan := load.Plan{Rate: 300, For: 4 * time.Second}
	if f.quiet {
		plan.For = 3 * time.Second // from the start of the load's program on, which takes its time here
	}
	inject := func() {
		enough := uint64(200)
		if f.quiet { // there are no more to come
			enough = 1
		}
		harness.Until(t, 20*time.Second, "messages are taken in", func() bool { return e.Status().Receivers[0].Stored >= enough })
		if f.down {
			e.Kill()
		}
		f.inject(t, e)
		if f.down {
			e.Start()
		}
		if f.synced {
			synchronised(t)
		}
	}
	if f.quiet {
		run := load.Under(t, e, plan, func() {})
		inject()
		return run
	}
	return load.Under(t, e, plan, inject)
}

func set(t *testing.T, to time.Time) {
	t.Helper()
	ts := unix.NsecToTimespec(to.UnixNano())
	if err := unix.ClockSettime(unix.CLOCK_REALTIME, &ts); err != nil {
		t.Fatal(err)
	}
}

// synchronised tells the kernel what a time daemon tells it.
func synchronised(t *testing.T) {
	t.Helper()
	if _, err := unix.Adjtimex(&unix.Timex{Modes: unix.ADJ_STATUS | unix.ADJ_MAXERROR}); err != nil {
		t.Fatal(err)
	}
}
