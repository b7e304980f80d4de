package fault

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"edged/test/harness"
	"edged/test/load"
	"edged/test/need"
)

// The gateway's user loses the permission on a sink's directory, then on its file: that sink waits and says so, the other goes on, and it recovers by
// itself when the permission is back.
func TestTheSinkLosesItsPermission(t *testing.T) {
	t.Parallel()
	need.Root(t)
	e := harness.New(t, "")
	own := filepath.Join(e.Dir, "own")
	if err := os.Mkdir(own, 0o755); err != nil {
		t.Fatal(err)
	}
	e.Configure(strings.Replace(load.Config, `"raw.ndjson"`, `"{{dir}}/own/raw.ndjson"`, 1))
	asNobody(t, e, own)
	e.Start()
	file := filepath.Join(own, "raw.ndjson")
	run := load.Under(t, e, load.Plan{Rate: 1000, For: 5 * time.Second}, func() {
		harness.Until(t, 30*time.Second, "there are rows", func() bool { return len(e.Rows("own/raw.ndjson")) > 0 })
		for _, c := range []struct {
			path string
			mode os.FileMode
		}{{own, 0o755}, {file, 0o640}} {
			if err := os.Chmod(c.path, 0); err != nil {
				t.Fatal(err)
			}
			if c.path == file { // what is open stays open: another start finds it closed
				e.Kill()
				e.Start()
			}
			says(t, e, "sink archive", "permission denied", "edged's user must be able to read and write the file and its directory")
			before := deliveryOf(t, e.Status(), "pins", "aggregates").Delivered
			harness.Until(t, 30*time.Second, "the other sink goes on", func() bool { return deliveryOf(t, e.Status(), "pins", "aggregates").Delivered > before })
			if err := os.Chmod(c.path, c.mode); err != nil {
				t.Fatal(err)
			}
			harness.Until(t, 30*time.Second, "the sink takes rows again", func() bool { return sinkOf(t, e.Status(), "archive").Health.Problem == "" })
		}
	})
	e.AtRest(30 * time.Second)
	const fault = "the permission on a sink's directory, then on its file is lost"
	v := load.Judge(t, e, run, fault, "own/raw.ndjson")
	v.Expected = "the sink waited and said so, the other went on, it recovered by itself"
	v.Holds(t)
	load.SameCounts(t, e, e.Rows("own/raw.ndjson"))
	demonstrate(t, e, run, fault, "own/raw.ndjson")
}

// asNobody has the gateway run without root's rights, which permissions do not stop.
func asNobody(t testing.TB, e *harness.Edged, more ...string) {
	t.Helper()
	const nobody = 65534
	program := harness.Binary(t, "edged/cmd/edged")
	for _, path := range []string{filepath.Dir(program), filepath.Dir(e.Dir), e.Dir, filepath.Dir(e.File)} {
		for ; len(path) > len(os.TempDir()); path = filepath.Dir(path) {
			if err := os.Chmod(path, 0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, path := range append([]string{e.Dir, e.File}, more...) {
		if err := os.Chown(path, nobody, nobody); err != nil {
			t.Fatal(err)
		}
	}
	e.Wrap = []string{need.Tool(t, "setpriv"), "--reuid=65534", "--regid=65534", "--clear-groups"}
}
