package wear

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"
)

// Sinks that are away for long, and may lose rows, stop nothing: neither at their max_pending nor when the store is full before that, with the rows of one
// and the windows of another in it.
func TestASinkThatMayLoseRowsStopsNothing(t *testing.T) {
	for _, pending := range []string{"1500KiB", "12MiB"} {
		t.Run(pending, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			c := Case{Away: []string{"cloud", "means"}, Settle: 15 * time.Minute, Measure: 30 * time.Second, Config: fmt.Sprintf(`
data_dir = %q
[http]
listen = ""
[broker]
listen = ["tcp://127.0.0.1:1883"]
[store]
max_bytes = "12MiB"
keep = "20s"
commit_interval = "1s"
write_budget = "1kB/day"
write_burst = "1MiB"
[batch]
interval = "1s"
[receiver.field]
type = "mqtt"
topics = ["site/#"]
[stream.raw]
from = ["field"]
topics = ["site/#"]
sinks = ["archive", "cloud"]
[stream.means]
from = ["field"]
topics = ["site/#"]
group_by = { pin = "topic[1]" }
window = "tumbling 1s"
aggregate = { mean = "avg(value)" }
sinks = ["means"]
[sink.archive]
type = "file"
path = "raw.ndjson"
[sink.cloud]
type = "http"
url = "http://127.0.0.1:9/"
when_full = "drop_oldest"
max_pending = %q
[sink.means]
type = "http"
url = "http://127.0.0.1:9/"
when_full = "drop_oldest"
max_pending = %q
`, dir, pending, pending)}
			for i := range 50 {
				c.Publishers = append(c.Publishers, Publisher{Topic: fmt.Sprint("site/", i), Every: time.Second, Bytes: 200})
			}
			w := Run(t, dir, c)
			if w.Messages/w.Seconds < 45 {
				t.Errorf("%.1f messages a second come in, of 50", w.Messages/w.Seconds)
			}
			if w.Dropped == 0 {
				t.Error("no row is counted as dropped")
			}
		})
	}
}

// A payload has the bytes that a case says, as far as its fields allow.
func TestPayloadsHaveTheirBytes(t *testing.T) {
	for _, want := range []int{10, 40, 66, 200} {
		p := newSensor(17, want).payload(3, 946684800123)
		if !json.Valid(p) || len(p) > max(want, 16) || len(p) < want-9 {
			t.Errorf("%d bytes: %s", len(p), p)
		}
		if want == 66 && len(p) != want {
			t.Errorf("%d bytes, the default: %s", len(p), p)
		}
	}
}
