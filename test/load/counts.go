package load

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"edged/test/harness"
)

// SameCounts checks that the counts of the windows are the raw rows, device by device and pin by pin.
func SameCounts(t testing.TB, e *harness.Edged, rawRows []map[string]any) {
	t.Helper()
	raw, windows := map[string]float64{}, map[string]float64{}
	for _, r := range rawRows {
		f := strings.Split(fmt.Sprint(r["topic"]), "/")
		raw[f[1]+"/"+f[3]]++
	}
	harness.Until(t, 30*time.Second, "all windows have closed", func() bool {
		clear(windows)
		total := 0.0
		for _, r := range e.Rows("aggregates.ndjson") {
			n, _ := r["n"].(float64)
			windows[fmt.Sprint(r["device"], "/", r["pin"])] += n
			total += n
		}
		return total >= float64(len(rawRows))
	})
	for k, n := range raw {
		if windows[k] != n {
			t.Errorf("device/pin %s: %v raw rows, %v in the windows", k, n, windows[k])
		}
	}
	if len(windows) != len(raw) {
		t.Errorf("%d groups in the windows, %d in the raw rows", len(windows), len(raw))
	}
}
