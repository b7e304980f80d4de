package abuse

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"edged/test/harness"
)

// What a process may have when nobody but the old client is connected.
const (
	restKiB       = 64 << 10    // memory of its own
	restWithin    = time.Minute // the runtime gives memory back in its own time
	spareFiles    = 8           // beyond those of the start: the store and the sink open some for a moment
	spareRoutines = 30
	logBytes      = 256 << 10   // of one case: a log fills a card as well as data does
	tripWithin    = time.Second // at the best of some tries: the disk may stand still for longer
	trips         = 10
	tripMeanwhile = 5 * time.Second // while the abuse goes on, and every core is busy with it
)

// target is the broker under test.
type target struct {
	t      testing.TB // of all cases
	addr   string
	gw     *harness.Edged // nil: somebody else's
	ended  <-chan struct{}
	old    *good // connected before the first case, and never again
	files  int
	rtns   float64
	logged int
	after  slowest
	during slowest
	rest   struct {
		kib   int
		where string
	}
}

type slowest struct {
	worst time.Duration
	where string
}

func (s *slowest) note(d time.Duration, where string) {
	if d > s.worst {
		s.worst, s.where = d, where
	}
}

// aim starts the gateway, or takes the broker that the environment names.
func aim(t *testing.T) *target {
	t.Helper()
	tg := &target{t: t, addr: os.Getenv("EDGED_TEST_TARGET")}
	if tg.addr == "" {
		tg.gw = harness.New(t, config)
		tg.addr = fmt.Sprintf("127.0.0.1:%d", tg.gw.Broker)
	}
	tg.begin(t)
	t.Cleanup(func() { tg.old.Drop() })
	return tg
}

// begin starts the process, connects the old client and remembers what there is at the start.
func (tg *target) begin(t *testing.T) {
	t.Helper()
	if tg.gw != nil {
		tg.gw.Start()
		tg.ended = tg.gw.Ended()
	}
	old, err := newGood(tg.addr, false)
	if err != nil {
		t.Fatal(err)
	}
	tg.old = old
	if _, err := old.trip(); err != nil {
		t.Fatal(err)
	}
	if tg.gw != nil {
		tg.files, tg.rtns, tg.logged = openFiles(tg.gw.PID()), tg.gw.Metric("go_goroutines"), len(tg.gw.Log())
	}
}

// again replaces a process that did not survive a case, so that the next cases say something about themselves.
func (tg *target) again(t *testing.T) {
	t.Helper()
	if tg.gw == nil {
		t.Fatal("the broker does not serve any more")
	}
	tg.old.Drop()
	tg.gw.Kill()
	tg.begin(t)
}

// check fails the test unless the process lives, serves and has given back what the case took.
func (tg *target) check(t *testing.T) {
	t.Helper()
	if !tg.serves(t) {
		tg.again(t)
		return
	}
	if tg.gw == nil {
		return
	}
	if n := tg.gw.Metric("edged_broker_panics_total"); n != 0 {
		t.Errorf("%v panics", n)
		tg.again(t)
		return
	}
	log := tg.gw.Log()[tg.logged:]
	if strings.Contains(log, "panic") || strings.Contains(log, "DATA RACE") {
		t.Errorf("a panic in the log:\n%s", log)
	}
	if len(log) > logBytes {
		t.Errorf("%d bytes were logged, beginning with\n%s", len(log), log[:4<<10])
	}
	tg.logged += len(log)
	if !tg.rests(t) {
		tg.again(t)
	}
}

// serves makes a round trip as the old client, and one as a new one.
func (tg *target) serves(t *testing.T) (ok bool) {
	t.Helper()
	if tg.gw != nil {
		select {
		case <-tg.ended:
			log := tg.gw.Log()
			t.Errorf("the process has ended; the end of its log:\n%s", log[max(0, len(log)-8<<10):])
			return false
		default:
		}
	}
	return tg.inTime(t, "the round trip of a client that was there before", tg.old.trip) && tg.inTime(t, "connection and round trip of a new client", func() (time.Duration, error) {
		begin := time.Now()
		fresh, err := newGood(tg.addr, true)
		if err != nil {
			return 0, err
		}
		defer fresh.Drop()
		_, err = fresh.trip()
		return time.Since(begin), err
	})
}

// inTime tries until a trip takes no longer than it may.
func (tg *target) inTime(t *testing.T, what string, trip func() (time.Duration, error)) bool {
	t.Helper()
	best := time.Hour
	for range trips {
		d, err := trip()
		if err != nil {
			t.Errorf("%s: %v", what, err)
			return false
		}
		if best = min(best, d); best <= tripWithin {
			tg.after.note(best, t.Name())
			return true
		}
	}
	t.Errorf("%s took %v, at the best of %d", what, best, trips)
	return false
}

// rests waits until memory, open files and goroutines are those of a process that has nothing to do.
func (tg *target) rests(t *testing.T) bool {
	t.Helper()
	for end := time.Now().Add(restWithin); ; time.Sleep(20 * time.Millisecond) {
		kib, files, rtns := anonKiB(tg.gw.PID()), openFiles(tg.gw.PID()), tg.gw.Metric("go_goroutines")
		if kib < restKiB && files <= tg.files+spareFiles && rtns <= tg.rtns+spareRoutines {
			if kib > tg.rest.kib {
				tg.rest.kib, tg.rest.where = kib, t.Name()
			}
			return true
		}
		if time.Now().After(end) {
			t.Errorf("%v later: memory %d MiB of 64; %d open files, %d at the start; %v goroutines, %v at the start",
				restWithin, kib>>10, files, tg.files, rtns, tg.rtns)
			return false
		}
	}
}
