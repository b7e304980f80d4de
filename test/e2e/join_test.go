package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"edged/test/await"
	"edged/test/harness"
	"edged/test/load"
	"edged/test/rawmqtt"
)

// joinsRows waits until a stream has a table of so many rows.
func joinsRows(t *testing.T, e *harness.Edged, stream string, rows int) {
	t.Helper()
	harness.Until(t, 10*time.Second, fmt.Sprintf("stream %s has a table of %d rows", stream, rows), func() bool {
		for _, s := range e.Status().Streams {
			if s.Stream == stream && s.Join != nil && !s.Join.Missing && s.Join.Rows == rows {
				return true
			}
		}
		return false
	})
}

// The example: readings are joined with the table of devices that is shipped with it.
func TestReadingsAreJoinedWithDevices(t *testing.T) {
	t.Parallel()
	e := shipped(t, "join", "127.0.0.1:1883", "127.0.0.1:{{broker}}", "tumbling 10s", "tumbling 1s")
	e.Start()
	joinsRows(t, e, "named", 3)
	joinsRows(t, e, "rooms", 3)
	for _, m := range []string{"1/temperature 71.5", "1/temperature 60", "9/temperature 5"} {
		topic, payload, _ := strings.Cut(m, " ")
		publish(t, e.Broker, "-q", "1", "-t", "sensors/"+topic, "-m", payload)
	}
	harness.Until(t, 10*time.Second, "the readings are in the file", func() bool { return len(e.Rows("named.ndjson")) == 3 })
	for i, want := range []string{"boiler cellar 71.5 true", "boiler cellar 60 false", "<nil> <nil> 5 false"} {
		r := e.Rows("named.ndjson")[i]
		if got := fmt.Sprint(r["device"], " ", r["room"], " ", r["value"], " ", r["alarm"]); got != want {
			t.Errorf("row %d: %s, want %s", i, got, want)
		}
	}
	harness.Until(t, 10*time.Second, "the cellar's readings are in its windows", func() bool {
		n := 0.0
		for _, r := range e.Rows("rooms.ndjson") {
			if r["room"] != "cellar" {
				t.Errorf("%v", r)
			}
			n += r["n"].(float64)
		}
		return n == 2
	})
	s := e.AtRest(5 * time.Second)
	if len(s.Problems) > 0 {
		t.Errorf("%q", s.Problems)
	}
	if e.Metric(`edged_stream_join_rows{stream="named"}`) != 3 {
		t.Error("the metric says another number of rows")
	}
	if got := edged(t, e, "try", "--stream", "named", "--last", "10m"); got != read(t, e, "named.ndjson") {
		t.Errorf("a trial gives %s", got)
	}
}

const joined = load.Gateway + `
[receiver.devices]
type = "table"
path = "devices.csv"
every = "100ms"
[stream.raw]
from = ["field"]
topics = ["site/#"]
sinks = ["archive"]
[sink.archive]
type = "file"
path = "raw.ndjson"
`

const named = `
[stream.named]
from = ["field"]
topics = ["site/+"]
join = { d = "devices" }
on = { id = "topic[1]" }
select = { n = "value", version = "d.version" }
sinks = ["named"]
[sink.named]
type = "file"
path = "named.ndjson"
`

// edit replaces the table of devices 0 to 4, as an editor does.
func edit(t *testing.T, e *harness.Edged, version int) {
	t.Helper()
	text := "id,version\n"
	for id := range 5 {
		text += fmt.Sprintf("%d,%d\n", id, version)
	}
	path := filepath.Join(e.Dir, "devices.csv")
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

// A table that is replaced while messages flow is in force from one position on for all of its rows, also when edged is killed meanwhile: the versions of
// the rows never go back, no row is missing, and none is there twice.
func TestATableIsEditedWhileMessagesFlow(t *testing.T) {
	t.Parallel()
	e := harness.New(t, joined+named)
	edit(t, e, 0)
	e.Start()
	joinsRows(t, e, "named", 5)
	n, versions := 0, 0
	inForce := func() int {
		seen := map[any]bool{}
		for _, r := range e.Rows("named.ndjson") {
			seen[r["version"]] = true
		}
		return len(seen)
	}
	for life := range 3 {
		w, _ := rawmqtt.Login(t, fmt.Sprintf("127.0.0.1:%d", e.Broker), rawmqtt.Connect{ID: "pub"})
		// A life goes on until a table of its own was in force, and the next one may be on its way.
		for end := time.Now().Add(1500 * time.Millisecond); time.Now().Before(end) || n%7 != 0 || inForce() < life+2; n++ {
			if time.Since(end) > await.Patience {
				t.Fatalf("only %d tables were in force, of %d", inForce(), versions+1)
			}
			if n%150 == 100 {
				versions++
				edit(t, e, versions)
			}
			w.Publish(rawmqtt.Publish{Topic: fmt.Sprintf("site/%d", n%5), Payload: fmt.Sprint(n), QoS: 1, ID: uint16(n%1000 + 1)})
			w.Acks(0x40, uint16(n%1000+1))
			time.Sleep(time.Millisecond)
		}
		e.Kill()
		e.Start()
	}
	harness.Until(t, 20*time.Second, "every message is in the file", func() bool { return len(e.Rows("named.ndjson")) >= n })
	e.AtRest(20 * time.Second)
	rows, last := e.Rows("named.ndjson"), -1.0
	if len(rows) != n {
		t.Fatalf("%d rows of %d messages", len(rows), n)
	}
	for i, r := range rows {
		version, ok := r["version"].(float64)
		if r["n"] != float64(i) || !ok || version < last {
			t.Fatalf("row %d is %v, behind version %v", i, r, last)
		}
		last = version
	}
	harness.Until(t, 10*time.Second, "the last table is in force", func() bool {
		publish(t, e.Broker, "-q", "1", "-t", "site/3", "-m", "0")
		rows := e.Rows("named.ndjson")
		return rows[len(rows)-1]["version"] == float64(versions)
	})
}

// A stream that is configured when the table's message has long been passed gets its table, and one that was taken away and comes again, too.
func TestAStreamThatJoinsLaterGetsItsTable(t *testing.T) {
	t.Parallel()
	e := harness.New(t, joined)
	edit(t, e, 7)
	e.Start()
	harness.Until(t, 10*time.Second, "the table is stored", func() bool { return strings.Contains(e.Log(), "the table was stored") })
	publish(t, e.Broker, "-q", "1", "-t", "site/1", "-m", "1")
	harness.Until(t, 10*time.Second, "the message is in the file", func() bool { return len(e.Rows("raw.ndjson")) == 1 })
	becomes(t, e, joined+named)
	joinsRows(t, e, "named", 5)
	e.AtRest(10 * time.Second)
	before := len(e.Rows("named.ndjson")) // start = "oldest"
	publish(t, e.Broker, "-q", "1", "-t", "site/1", "-m", "2")
	harness.Until(t, 10*time.Second, "the message is joined", func() bool { return len(e.Rows("named.ndjson")) == before+1 })
	if r := e.Rows("named.ndjson")[before]; r["n"] != 2.0 || r["version"] != 7.0 {
		t.Errorf("%v", r)
	}
	becomes(t, e, joined+strings.Replace(named, "version = \"d.version\"", "version = \"d.version + 1\"", 1)) // another definition
	publish(t, e.Broker, "-q", "1", "-t", "site/1", "-m", "3")
	harness.Until(t, 10*time.Second, "the message is joined, too", func() bool { return len(e.Rows("named.ndjson")) == before+2 })
	if r := e.Rows("named.ndjson")[before+1]; r["n"] != 3.0 || r["version"] != 8.0 {
		t.Errorf("%v", r)
	}
	if n := strings.Count(e.Log(), "the table was stored"); n > 3 {
		t.Errorf("the table was stored %d times", n)
	}
	e.AtRest(10 * time.Second)
}

// Two quantities of one device, which one receiver brings, are joined within a time.
func TestTemperatureAndHumidityAreJoined(t *testing.T) {
	t.Parallel()
	e := harness.New(t, strings.Replace(joined, "[receiver.devices]\ntype = \"table\"\npath = \"devices.csv\"\nevery = \"100ms\"\n", "", 1)+`
[stream.climate]
from = ["field"]
topics = ["site/+/temperature"]
join = { h = "field" }
on = { "topic[1]" = "topic[1]" }
within = "10m"
join_topics = ["site/+/humidity"]
select = { room = "topic[1]", temperature = "value", humidity = "h.value" }
sinks = ["climate"]
[sink.climate]
type = "file"
path = "climate.ndjson"
`)
	e.Start()
	publish(t, e.Broker, "-q", "1", "-t", "site/attic/humidity", "-m", "55")
	publish(t, e.Broker, "-q", "1", "-t", "site/cellar/temperature", "-m", "12")
	publish(t, e.Broker, "-q", "1", "-t", "site/attic/temperature", "-m", "21")
	harness.Until(t, 10*time.Second, "the pair has left", func() bool { return len(e.Rows("climate.ndjson")) == 1 })
	if r := e.Rows("climate.ndjson")[0]; r["room"] != "attic" || r["temperature"] != 21.0 || r["humidity"] != 55.0 {
		t.Errorf("%v", r)
	}
	e.AtRest(10 * time.Second)
	e.Kill()
	e.Start()
	publish(t, e.Broker, "-q", "1", "-t", "site/cellar/humidity", "-m", `{"value":80}`)
	harness.Until(t, 10*time.Second, "what was held before the kill finds its partner", func() bool { return len(e.Rows("climate.ndjson")) == 2 })
	e.AtRest(10 * time.Second)
}
