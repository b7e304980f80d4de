package e2e

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"edged/test/harness"
)

// edged try gives the rows that the file sinks got: of the last minutes beside the gateway, of its store when it is stopped, and of an export.
func TestATrialGivesWhatTheSinksGot(t *testing.T) {
	t.Parallel()
	e := harness.New(t, strings.Replace(base, "%s", "", 1))
	e.Start()
	const rounds = 5
	for i := range rounds {
		for device := range 3 {
			publish(t, e.Broker, "-q", "1", "-t", fmt.Sprintf("site/%d/gpio/3", device), "-m", fmt.Sprintf(`{"value":%d.5}`, i-2*device))
			publish(t, e.Broker, "-q", "1", "-t", fmt.Sprintf("site/%d/gpio/4", device), "-m", fmt.Sprintf(`{"value":%d}`, -38-i))
		}
		publish(t, e.Broker, "-q", "1", "-t", "site/1/gpio/5", "-m", "poison")
		time.Sleep(700 * time.Millisecond) // so that there are several windows
	}
	harness.Until(t, 10*time.Second, "all windows are in the file", func() bool {
		n := 0.0
		for _, c := range counted(e.Rows("aggregates.ndjson")) {
			n += c
		}
		return n == 3*rounds+3*2 // of pin 4 the first two rounds are above −40
	})
	publish(t, e.Broker, "-q", "1", "-t", "site/0/end", "-m", `"a message after all windows"`)
	harness.Until(t, 10*time.Second, "the last message is in the raw file", func() bool { return len(e.Rows("raw.ndjson")) == 6*rounds+1 })
	e.AtRest(5 * time.Second)

	windows := read(t, e, "aggregates.ndjson")
	if n := strings.Count(windows, "\n"); n < 6 {
		t.Fatalf("only %d windows", n)
	}
	harness.Until(t, 5*time.Second, "a trial of the last minutes beside the gateway gives the file's windows", func() bool {
		return edged(t, e, "try", "--stream", "pins", "--last", "10m") == windows
	})
	if err := e.Stop(); err != nil {
		t.Fatal(err)
	}
	export := filepath.Join(t.TempDir(), "export.ndjson")
	if err := os.WriteFile(export, []byte(edged(t, e, "store", "export")), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, is := range []struct{ file, stream, from, of string }{
		{"aggregates.ndjson", "pins", "--last", "10m"},
		{"aggregates.ndjson", "pins", "--input", export},
		{"raw.ndjson", "raw", "--last", "10m"},
		{"raw.ndjson", "raw", "--input", export},
		{"aggregates.ndjson", "pins", "--input", filepath.Join(e.Dir, "raw.ndjson")},
	} {
		want := read(t, e, is.file)
		if got := edged(t, e, "try", "--stream", is.stream, is.from, is.of); got != want {
			t.Errorf("try --stream %s %s gives\n%s\nthe file has\n%s", is.stream, is.from, got, want)
		}
	}
	if after := read(t, e, "aggregates.ndjson"); after != windows {
		t.Errorf("the trials have changed the sink's file:\n%s", after)
	}
}

func read(t *testing.T, e *harness.Edged, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(e.Dir, file))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// edged runs a command with the gateway's configuration, and returns its standard output.
func edged(t *testing.T, e *harness.Edged, args ...string) string {
	t.Helper()
	cmd := exec.Command(harness.Binary(t, "edged/cmd/edged"), append(args, "--config", e.File)...)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("edged %s: %v\n%s", strings.Join(args, " "), err, said.String())
	}
	return string(out)
}
