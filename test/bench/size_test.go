package bench

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"edged/test/harness"
)

// small measures what the program costs when it does nothing.
func small(t *testing.T) {
	size := float64(binarySize(t)) / 1e6
	sitting.say(t, "size", measured{figure: size, edged: fmt.Sprintf("%.2f MB", size)})
	var starts, idle []float64
	for i := range 5 {
		g := prepared(t, whole)
		starts = append(starts, float64(readyAfter(t, g.Edged).Microseconds())/1000)
		if i < rounds(2) {
			time.Sleep(3 * time.Second)
			idle = append(idle, anonymous(g.PID()))
		}
		g.end()
	}
	sitting.say(t, "ready", measured{figure: median(starts), edged: fmt.Sprintf("%.0f ms", median(starts)), notes: []string{fmt.Sprintf("five starts, from exec to /readyz: %.0f ms", starts)}})
	sitting.say(t, "rss-idle", measured{figure: median(idle) / (1 << 20), edged: mib(median(idle)), notes: []string{"3 s after the start, the configuration of the whole pipeline"}})
}

// binarySize builds the program as it is installed on a Pi.
func binarySize(t *testing.T) int64 {
	t.Helper()
	path := filepath.Join(t.TempDir(), "edged")
	cmd := exec.Command("make", "-s", "-C", "../..", "build", "BIN="+path)
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH=arm64")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	fi, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return fi.Size()
}

// readyAfter starts the gateway and measures the time until it takes messages in.
func readyAfter(t *testing.T, e *harness.Edged) time.Duration {
	t.Helper()
	harness.Binary(t, "edged/cmd/edged")
	began := time.Now()
	for e.Launch(); ; time.Sleep(time.Millisecond) {
		if res, err := http.Get(e.URL("/readyz")); err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return time.Since(began)
			}
		}
		if time.Since(began) > 30*time.Second {
			t.Fatal("not ready")
		}
	}
}
