package wear

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"edged/test/load"
)

// Fifty sensors with a message a second each, by the default settings: what a day writes to the card is bounded by the pages of a commit. After half a minute the log is short, after
// twelve it has all that is kept.
func TestFiftySensors(t *testing.T) {
	for _, c := range []struct {
		settle  time.Duration
		more    string
		gb, per float64 // a day, and pages a commit
	}{
		{20 * time.Second, "", 7, 3.9},
		{12 * time.Minute, "", 7, 3.9},
		{12 * time.Minute, `commit_interval = "1s"`, 2.6, 4.6},
	} {
		t.Run(fmt.Sprint(c.settle, c.more), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			k := Case{Settle: c.settle, Measure: 3 * time.Minute, Config: strings.NewReplacer("{{dir}}", dir, "{{http}}", "8080", "{{broker}}", "1883").Replace(
				load.With(load.Whole, "store", "write_burst = \"1MiB\"\n"+c.more))}
			for i := range 50 {
				k.Publishers = append(k.Publishers, Publisher{Topic: fmt.Sprintf("site/%d/gpio/%d", i, i%8), Every: time.Second, Bytes: 66})
			}
			w := Run(t, dir, k)
			gb, per := w.PerDay(w.Written)/1e9, w.Written/w.Commits/4096
			t.Logf("%.2f GB a day, %.2f commits a second, %.2f pages each", gb, w.Commits/w.Seconds, per)
			if gb > c.gb || per > c.per || w.Messages/w.Seconds < 49 {
				t.Errorf("%.2f GB a day of %.1f messages a second, %.2f pages a commit", gb, w.Messages/w.Seconds, per)
			}
		})
	}
}
