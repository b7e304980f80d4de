// Package crash kills the real program, under load and in the middle of its work, and counts what is left.
package crash

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"edged/test/harness"
	"edged/test/load"
)

func TestMain(m *testing.M) { harness.Main(m) }

// all reports whether the long forms run (make test-crash, make test-all).
func all() bool { return os.Getenv("EDGED_TEST") == "all" }

// SIGKILL under load, and a restart a second later, again and again.
func TestKillUnderLoad(t *testing.T) {
	t.Parallel()
	e := harness.New(t, load.Config)
	e.Start()
	kills := 3
	if all() {
		kills = 20
	}
	run := load.Under(t, e, load.Plan{Rate: 3000}, func() {
		for i := range kills {
			time.Sleep(time.Duration(700+i*37%200) * time.Millisecond)
			e.Kill()
			time.Sleep(300 * time.Millisecond) // away
			e.Start()
		}
	})
	e.AtRest(30 * time.Second)
	load.Judge(t, e, run, fmt.Sprintf("SIGKILL under load, %d times", kills), "raw.ndjson").Holds(t)
	load.SameCounts(t, e, e.Rows("raw.ndjson"))
}

// Kills while the raw file rotates every few hundred milliseconds and closed files are compressed.
func TestKillWhileRotating(t *testing.T) {
	t.Parallel()
	e := harness.New(t, load.With(load.Config, "sink.archive", "rotate_size = \"100KiB\"\ncompress = \"gzip\""))
	e.Start()
	kills := 6
	if all() {
		kills = 40
	}
	run := load.Under(t, e, load.Plan{Rate: 4000}, func() {
		closed := func() int {
			files, _ := filepath.Glob(filepath.Join(e.Dir, "raw-*"))
			return len(files)
		}
		for i := range kills {
			before := closed()
			harness.Until(t, 30*time.Second, "the file rotates", func() bool { return closed() > before })
			time.Sleep(time.Duration(i*61%250) * time.Millisecond)
			e.Kill()
			e.Start()
		}
	})
	e.AtRest(30 * time.Second)
	if err := e.Stop(); err != nil {
		t.Fatal(err)
	}
	e.Start() // what is left half compressed is finished
	var plain []string
	harness.Until(t, 20*time.Second, "closed files are compressed", func() bool {
		plain, _ = filepath.Glob(filepath.Join(e.Dir, "raw-*.ndjson"))
		return len(plain) == 0
	})
	if packed, _ := filepath.Glob(filepath.Join(e.Dir, "raw-*.ndjson.gz")); len(packed) < 3 {
		t.Fatalf("%d closed files: nothing rotated", len(packed))
	}
	e.AtRest(30 * time.Second)
	unpack(t, e)
	load.Judge(t, e, run, fmt.Sprintf("SIGKILL while files rotate and are compressed, %d times", kills), "unpacked.ndjson").Holds(t)
	load.SameCounts(t, e, e.Rows("unpacked.ndjson"))
}
