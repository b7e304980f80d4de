// Package e2e tests the real program with real clients: mosquitto_pub and mosquitto_sub, Mosquitto as external broker, an
// HTTP server, files.
package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"edged/test/harness"
	"edged/test/load"
	"edged/test/need"
	"edged/test/port"
)

func TestMain(m *testing.M) { harness.Main(m) }

// base is a configuration with a raw file and windows by device and pin; further tables may follow it.
const base = load.Gateway + streams

const streams = `
[stream.raw]
from = ["field"]
topics = ["site/#"]
sinks = ["archive"]
[stream.pins]
from = ["field"]
topics = ["site/+/gpio/+"]
where = "value > -40"
group_by = { device = "topic[1]", pin = "topic[3]" }
window = "tumbling 2s"
aggregate = { n = "count()", mean = "avg(value)", max = "max(value)" }
sinks = ["aggregates"%s]
[sink.archive]
type = "file"
path = "raw.ndjson"
[sink.aggregates]
type = "file"
path = "aggregates.ndjson"
`

// withCloud is a configuration with an HTTP sink for the windows.
func withCloud(config, url string) string {
	return fmt.Sprintf(config, `, "cloud"`) + fmt.Sprintf(`
[sink.cloud]
type = "http"
url = %q
`, url)
}

func publish(t *testing.T, port int, args ...string) {
	t.Helper()
	harness.Run(t, need.Tool(t, "mosquitto_pub"), append([]string{"-h", "127.0.0.1", "-p", fmt.Sprint(port)}, args...)...)
}

// sum adds up a column of the rows of one device and pin.
func sum(rows []map[string]any, device, pin, column string) (total float64) {
	for _, r := range rows {
		if r["device"] == device && r["pin"] == pin {
			n, _ := r[column].(float64)
			total += n
		}
	}
	return total
}

// counted adds up n by device and pin, and raw counts the raw rows the same way.
func counted(rows []map[string]any) map[string]float64 {
	out := map[string]float64{}
	for _, r := range rows {
		n, _ := r["n"].(float64)
		out[fmt.Sprint(r["device"], "/", r["pin"])] += n
	}
	return out
}

func raw(rows []map[string]any) map[string]float64 {
	out := map[string]float64{}
	for _, r := range rows {
		f := strings.Split(fmt.Sprint(r["topic"]), "/")
		if len(f) == 4 && f[2] == "gpio" {
			out[f[1]+"/"+f[3]]++
		}
	}
	return out
}

// external is a real Mosquitto. It keeps its sessions on disk, written once a second.
type external struct {
	t    *testing.T
	port int
	file string
	cmd  *exec.Cmd
}

func mosquitto(t *testing.T) *external {
	t.Helper()
	x := &external{t: t, port: port.Free(t)}
	dir := t.TempDir()
	x.file = filepath.Join(dir, "mosquitto.conf")
	conf := fmt.Sprintf("listener %d 127.0.0.1\nallow_anonymous true\nuser root\nmax_inflight_messages 0\nmax_queued_messages 0\n"+
		"persistence true\npersistence_location %s/\nautosave_interval 1\n", x.port, dir)
	if err := os.WriteFile(x.file, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	x.start()
	t.Cleanup(x.kill)
	return x
}

func (x *external) start() {
	x.t.Helper()
	x.cmd = exec.Command(need.Tool(x.t, "mosquitto"), "-c", x.file)
	if err := x.cmd.Start(); err != nil {
		x.t.Fatal(err)
	}
	harness.Until(x.t, 10*time.Second, "Mosquitto listens", func() bool {
		return exec.Command(need.Tool(x.t, "mosquitto_pub"), "-h", "127.0.0.1", "-p", fmt.Sprint(x.port), "-t", "x", "-m", "x").Run() == nil
	})
}

func (x *external) kill() {
	_ = x.cmd.Process.Kill()
	_ = x.cmd.Wait()
}
