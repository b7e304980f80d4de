package exec

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"edged"
	"edged/sinks/encode"
	"edged/sinks/sinktest"
	"edged/sinks/spec"

	"github.com/VictoriaMetrics/metrics"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func quiet(t *testing.T) spec.Env {
	return spec.Env{Name: "prog", DataDir: t.TempDir(), Log: slog.New(slog.DiscardHandler), Metrics: metrics.NewSet()}
}

// store keeps rows in the file rows. A file left says how many it still takes; while there is a file hang, it stands still
// with a row in its hands, and makes the file reached.
const store = `
while IFS= read -r row; do
	if [ -e hang ]; then
		: >reached
		while [ -e hang ]; do sleep 0.01; done
	fi
	if [ -e left ]; then
		read -r left <left
		if [ "$left" = 0 ]; then echo retry not now; continue; fi
		echo $((left - 1)) >left
	fi
	printf '%s\n' "$row" >>rows && echo ok || echo retry
done`

func config(script string, args ...string) *Config {
	c := Default()
	c.Command = append([]string{"sh", "-c", script, "sh"}, args...)
	return c
}

func TestConformance(t *testing.T) {
	sinktest.Run(t, func(t *testing.T) sinktest.Harness {
		e := quiet(t)
		file := func(name string) string { return filepath.Join(e.DataDir, name) }
		return sinktest.Harness{
			Guarantee: sinktest.AtLeastOnce,
			New:       func() edged.Sink { return config(store).New(e) },
			Encode:    encode.AppendNDJSON,
			Arrived: func() []sinktest.Arrival {
				b, _ := os.ReadFile(file("rows"))
				return []sinktest.Arrival{{Body: b}}
			},
			Refuse: func(after []edged.Delivery) (accept func()) {
				n := 0
				for _, d := range after {
					n += d.Rows.Len()
				}
				write(t, file("left"), fmt.Sprintln(n))
				return func() { os.Remove(file("left")) }
			},
			Hang: func() (reached <-chan struct{}, release func()) {
				write(t, file("hang"), "")
				in := make(chan struct{})
				go func() {
					for {
						if _, err := os.Stat(file("reached")); err == nil {
							close(in)
							return
						}
						time.Sleep(time.Millisecond)
					}
				}()
				return in, func() { os.Remove(file("hang")) }
			},
		}
	})
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
