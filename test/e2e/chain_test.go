package e2e

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"edged/test/harness"
	"edged/test/load"
)

const chains = load.Gateway + `
[batch]
interval = "300ms"
[stream.seconds]
from = ["field"]
topics = ["site/+/gpio/+"]
group_by = { device = "topic[1]", pin = "topic[3]" }
window = "tumbling 1s"
aggregate = { n = "count()", total = "sum(value)" }
[stream.five]
from = ["seconds"]
group_by = { device = "device", pin = "pin" }
window = "tumbling 5s"
aggregate = { n = "sum(n)", total = "sum(total)", seconds = "count()" }
sinks = ["five"]
[stream.all]
from = ["field"]
topics = ["site/#"]
select = { v = "value" }
sinks = ["all"]
[stream.ever]
from = ["all"]
topics = ["site/+/gpio/+"]
group_by = { device = "topic[1]", pin = "topic[3]" }
window = "running"
aggregate = { n = "count()", total = "sum(v)" }
sinks = ["ever"]
[stream.last]
from = ["ever"]
window = "tumbling 2s"
group_by = { device = "device", pin = "pin" }
aggregate = { n = "max(n)", results = "count()" }
sinks = ["last"]
[sink.five]
type = "file"
path = "five.ndjson"
[sink.all]
type = "file"
path = "all.ndjson"
[sink.ever]
type = "file"
path = "ever.ndjson"
[sink.last]
type = "file"
path = "last.ndjson"
`

// apart has the streams of five and of seconds beside each other.
const apart = load.Gateway + `
[batch]
interval = "300ms"
[stream.seconds]
from = ["field"]
topics = ["site/+/gpio/+"]
group_by = { device = "topic[1]", pin = "topic[3]" }
window = "tumbling 1s"
aggregate = { n = "count()", total = "sum(value)" }
sinks = ["seconds"]
[stream.five]
from = ["field"]
topics = ["site/+/gpio/+"]
group_by = { device = "topic[1]", pin = "topic[3]" }
window = "tumbling 5s"
aggregate = { n = "count()", total = "sum(value)" }
sinks = ["five"]
[sink.five]
type = "file"
path = "five.ndjson"
[sink.seconds]
type = "file"
path = "seconds.ndjson"
`

// Rows go from stream to stream over kills, none lost and none twice; and the last window closes although nothing comes any more.
func TestAChainOverKills(t *testing.T) {
	t.Parallel()
	e := harness.New(t, chains)
	sent, total := 0.0, 0.0
	for range 5 {
		e.Start()
		var lines []string
		for range 40 {
			lines = append(lines, fmt.Sprintf(`{"value":%d}`, int(sent)))
			total += sent
			sent++
		}
		for _, part := range [][]string{lines[:20], lines[20:]} {
			for _, l := range part {
				publish(t, e.Broker, "-q", "1", "-t", "site/7/gpio/3", "-m", l)
			}
			time.Sleep(time.Duration(rand.IntN(700)) * time.Millisecond) // where the kill comes is not to matter
		}
		e.Kill()
	}
	e.Start()
	harness.Until(t, 20*time.Second, "every window of the chain has closed", func() bool { return sum(e.Rows("five.ndjson"), "7", "3", "n") >= sent })
	harness.Until(t, 20*time.Second, "and of the one of three", func() bool {
		rows := e.Rows("last.ndjson")
		return len(rows) > 0 && rows[len(rows)-1]["n"] == sent
	})
	s := e.AtRest(20 * time.Second)
	for _, c := range []struct{ file, column string }{{"five.ndjson", "n"}, {"five.ndjson", "total"}} {
		want := map[string]float64{"n": sent, "total": total}[c.column]
		if got := sum(e.Rows(c.file), "7", "3", c.column); got != want {
			t.Errorf("%s: the sum of %s is %v, want %v", c.file, c.column, got, want)
		}
	}
	if n := len(e.Rows("all.ndjson")); n != int(sent) {
		t.Errorf("%d rows of %v", n, sent)
	}
	if rows := e.Rows("ever.ndjson"); len(rows) == 0 || rows[len(rows)-1]["n"] != sent || rows[len(rows)-1]["total"] != total {
		t.Errorf("all since the beginning: %v, want %v and %v", rows[max(0, len(rows)-1):], sent, total)
	}
	for _, r := range s.Receivers {
		if r.Name != "field" && r.Name != "(sessions)" {
			t.Errorf("%s is no receiver", r.Name)
		}
	}
	for _, st := range s.Streams {
		if st.Late+st.Dead+st.Damaged+st.Dropped+st.Filtered > 0 {
			t.Errorf("%+v", st.Status)
		}
		if want := map[string]uint64{"seconds": uint64(sent), "all": uint64(sent), "ever": uint64(sent)}[st.Stream]; want > 0 && st.Applied != want {
			t.Errorf("%s: %d applied, want %d", st.Stream, st.Applied, want)
		}
	}
	// At rest nothing is written any more.
	end := e.Status().Store.LogEnd
	time.Sleep(2 * time.Second)
	if now := e.Status().Store.LogEnd; now != end {
		t.Errorf("at rest the log grows from %d to %d", end, now)
	}
	// A reload that makes a chain longer, and one that takes it apart.
	becomes(t, e, strings.Replace(chains, "[sink.five]", "[stream.ten]\nfrom = [\"five\"]\nwindow = \"tumbling 10s\"\naggregate = { n = \"sum(n)\", windows = \"count()\" }\nsinks = [\"ten\"]\n[sink.ten]\ntype = \"file\"\npath = \"ten.ndjson\"\n[sink.five]", 1))
	publish(t, e.Broker, "-q", "1", "-t", "site/7/gpio/3", "-m", `{"value":1}`)
	sent++
	harness.Until(t, 30*time.Second, "the new stream's window has closed", func() bool {
		rows := e.Rows("ten.ndjson")
		return len(rows) == 1 && rows[0]["n"] == 1.0
	})
	becomes(t, e, apart)
	publish(t, e.Broker, "-q", "1", "-t", "site/7/gpio/3", "-m", `{"value":1}`)
	sent++
	harness.Until(t, 30*time.Second, "both count on their own", func() bool {
		return sum(e.Rows("five.ndjson"), "7", "3", "n") == sent && sum(e.Rows("seconds.ndjson"), "7", "3", "n") == 1
	})
}

// A store that is smaller than what passes through it, each row of which is stored a second time for a window that holds it until its checkpoint, lets all of it
// through.
func TestAChainPassesThroughASmallStore(t *testing.T) {
	t.Parallel()
	e := harness.New(t, `
data_dir = "{{dir}}"
[http]
listen = "127.0.0.1:{{http}}"
[broker]
listen = ["tcp://127.0.0.1:{{broker}}"]
[store]
max_bytes = "24MiB"
keep = "0s"
checkpoint_interval = "3s"
[receiver.field]
type = "mqtt"
topics = ["#"]
[stream.each]
from = ["field"]
topics = ["#"]
decode = "raw"
[stream.minutes]
from = ["each"]
window = "tumbling 1m"
aggregate = { n = "count()" }
sinks = ["minutes"]
[sink.minutes]
type = "file"
path = "minutes.ndjson"
`)
	e.Start()
	load := harness.Binary(t, "edged/test/mqttload")
	for range 2 { // twice 20 MB of payloads through 16 MiB of room, and 27 MB of base64
		harness.Run(t, load, "pub", "-addr", fmt.Sprintf("127.0.0.1:%d", e.Broker), "-n", "4", "-qos", "1", "-m", "20000", "-pad", "1000", "-reconnect", "20s", "-clean=false")
	}
	harness.Until(t, 60*time.Second, "every row is counted", func() bool { return e.Status().Streams[1].Applied >= 40000 })
	s := e.AtRest(20 * time.Second)
	if each, minutes := s.Streams[0], s.Streams[1]; minutes.Applied != each.Applied {
		t.Errorf("%d rows of %d; %+v", minutes.Applied, each.Applied, s.Store.Space)
	}
	harness.Until(t, 10*time.Second, "the store has room again", func() bool { return !e.Status().Store.Full })
}
