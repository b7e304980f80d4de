package daemon

import (
	"fmt"
	"testing"

	"edged/test/await"
)

// A chain in a gateway that runs: rows go on, the last window closes by itself, streams are no receivers, and a closed gate holds up what the first stream takes.
func TestAChainRuns(t *testing.T) {
	d := gatewayOf(t, fmt.Sprintf(`
data_dir = %q
[http]
listen = "127.0.0.1:0"
[broker]
listen = ["tcp://127.0.0.1:0"]
[receiver.field]
type = "mqtt"
topics = ["site/#"]
[batch]
interval = "100ms"
[stream.seconds]
from = ["field"]
topics = ["site/+"]
window = "tumbling 500ms"
aggregate = { n = "count()" }
[stream.each]
from = ["seconds"]
select = { n = "n" }
[stream.more]
from = ["each"]
window = "tumbling 1s"
aggregate = { n = "sum(n)" }
sinks = ["screen"]
[sink.screen]
type = "console"
`, t.TempDir()))
	run(t, d)
	const n = 100
	for range n {
		if err := d.broker.Publish(t.Context(), "site/1", []byte("1"), 1, false); err != nil {
			t.Fatal(err)
		}
	}
	var s Status
	await.Soon(t, "everything has gone through the chain", func() bool {
		s = d.Status()
		for _, st := range s.Streams {
			if st.Applied == 0 || st.Pending != 0 || !st.Balanced || st.Groups > 0 {
				return false
			}
		}
		return s.Streams[0].Applied == n && s.Streams[2].Produced > 0
	})
	rows := s.Streams[0].Produced
	if each, more := s.Streams[1], s.Streams[2]; each.Applied != rows || more.Applied != rows || more.Late+each.Late > 0 {
		t.Errorf("%d results went on: %+v, %+v", rows, each.Status, more.Status)
	}
	if len(s.Receivers) != 1 || s.Receivers[0].Received != n || !s.Receivers[0].Balanced {
		t.Errorf("%+v", s.Receivers)
	}
	for topic, want := range map[string]bool{"site/1": true, "site/1/2": false} {
		if got := d.takes("more", "field", topic); got != want {
			t.Errorf("the last stream is closed: a message of %s is held up: %v", topic, got)
		}
	}
}
