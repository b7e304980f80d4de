//go:build linux

package machine

import (
	"fmt"
	"testing"
	"time"

	"edged/test/harness"
)

// window is what load.Config's stream counts in one window of two seconds, or what it should.
type window struct {
	epoch       float64
	start       string
	device, pin string
}

type difference struct{ missing, more int64 }

// windows compares the windows in the file with those that follow from the raw rows, epoch by epoch. It waits until all have closed, or until they should
// have.
func windows(e *harness.Edged, within time.Duration) (d difference) {
	want := map[window]float64{}
	for _, r := range e.Rows("raw.ndjson") {
		at, _ := time.Parse(time.RFC3339Nano, r["time"].(string))
		var conn, pin int
		fmt.Sscanf(r["topic"].(string), "site/%d/gpio/%d", &conn, &pin)
		want[window{epoch(r), at.Truncate(2 * time.Second).Format(time.RFC3339Nano), fmt.Sprint(conn), fmt.Sprint(pin)}]++
	}
	for end := time.Now().Add(within); ; time.Sleep(50 * time.Millisecond) {
		d = compare(want, e.Rows("aggregates.ndjson"))
		if d.missing == 0 || time.Now().After(end) {
			return d
		}
	}
}

// compare counts what is missing in windows, and what is more than there should be. A window without rows counts as one.
func compare(want map[window]float64, rows []map[string]any) (d difference) {
	got := map[window]float64{}
	for _, r := range rows {
		w := window{epoch(r), fmt.Sprint(r["window_start"]), fmt.Sprint(r["device"]), fmt.Sprint(r["pin"])}
		if _, again := got[w]; again || want[w] == 0 {
			d.more++
		}
		got[w] += r["n"].(float64)
	}
	for w, n := range want {
		d.missing += int64(max(0, n-got[w]))
		d.more += int64(max(0, got[w]-n))
	}
	return d
}

func epoch(row map[string]any) float64 {
	n, _ := row["epoch"].(float64)
	return n
}

// strays is how often the wall clock of a user-mode Linux may part from its monotonic clock by seconds in one case, when the computer is busy: each time
// begins an epoch, as it should.
const strays = 2

// epochs checks the raw rows' stretches of time: so many, one after the other, time never running backwards within one, marked as not trusted until the clock
// was synchronised. It returns them in words.
func epochs(t *testing.T, e *harness.Edged, f settime) string {
	t.Helper()
	rows := e.Rows("raw.ndjson")
	said, last, before, marked := "", -1.0, "", 0
	for _, r := range rows {
		at := r["time"].(string)
		switch n := epoch(r); {
		case n == last+1, n > last && int(n) < f.epochs+strays:
			last = n
			if said += fmt.Sprintf(", then %.16s", at); n == 0 {
				said = fmt.Sprintf("time %.16s", at)
			}
		case n != last:
			t.Fatalf("epoch %v after %v", n, last)
		case at < before && len(at) == len(before):
			t.Fatalf("%s after %s", at, before)
		}
		before = at
		if r["clock_trusted"] == false {
			marked++
		}
	}
	if n := int(last) + 1; n < f.epochs || n > f.epochs+strays {
		t.Errorf("%d epochs, want %d", n, f.epochs)
	} else if n > f.epochs {
		said += fmt.Sprintf("; the machine's own clocks parted %d times", n-f.epochs)
	}
	if ok := marked == len(rows) || f.synced && marked > 0 && marked < len(rows); !ok {
		t.Errorf("%d of %d rows say that the clock is not to be trusted; synchronised meanwhile: %v", marked, len(rows), f.synced)
	}
	return said
}
