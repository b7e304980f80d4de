package e2e

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"edged/internal/daemon"
	"edged/test/harness"
	"edged/test/rawmqtt"
)

// trickle publishes messages one after the other until stop is closed, over connections that come and go with the gateway. None is published twice. It
// returns the numbers of those that were acknowledged, and goes on until there are so many.
func trickle(e *harness.Edged, stop <-chan struct{}, least int, message func(i int) string) (acked []int) {
	var w *rawmqtt.Client
	for i := 0; ; i++ {
		select {
		case <-stop:
			if len(acked) >= least {
				if w != nil {
					w.Drop()
				}
				return acked
			}
		default:
		}
		if w == nil {
			var err error
			if w, _, err = rawmqtt.Reach(fmt.Sprintf("127.0.0.1:%d", e.Broker), rawmqtt.Connect{ID: "trickle"}); err != nil {
				w = nil
				time.Sleep(20 * time.Millisecond)
				continue
			}
		}
		id := uint16(i%1000 + 1)
		p := rawmqtt.Publish{Topic: fmt.Sprintf("site/%d/gpio/1", i%3), Payload: message(i), QoS: 1, ID: id}
		_, err := w.Write(p.Bytes(false))
		if err == nil {
			_, err = w.Want(0x40)
		}
		if err != nil {
			w.Drop()
			w = nil
			continue
		}
		acked = append(acked, i)
		time.Sleep(3 * time.Millisecond)
	}
}

// of are the rows of one stream.
func of(rows []map[string]any, stream string) (out []map[string]any) {
	for _, r := range rows {
		if r["stream"] == stream {
			out = append(out, r)
		}
	}
	return out
}

// ids are the numbers of messages whose payloads are in rows, and those that are there twice.
func ids(rows []map[string]any) (all map[int]bool, twice []int) {
	all = map[int]bool{}
	for _, r := range rows {
		p, _ := r["payload"].(map[string]any)
		id, _ := p["id"].(float64)
		if all[int(id)] {
			twice = append(twice, int(id))
		}
		all[int(id)] = true
	}
	return all, twice
}

// Results and late rows go to one file, and to one endpoint, and the gateway is killed again and again: each message is in a window or late, once.
func TestLateRowsAreDelivered(t *testing.T) {
	t.Parallel()
	cloud := harness.NewServer(t)
	event := `
from = ["field"]
topics = ["site/+/gpio/+"]
time = "ts"
allowed_lateness = "0s"
idle = "2s"
group_by = { device = "topic[1]" }
window = "tumbling 1s"
aggregate = { n = "count()" }
`
	e := harness.New(t, `
data_dir = "{{dir}}"
[http]
listen = "127.0.0.1:{{http}}"
[broker]
listen = ["tcp://127.0.0.1:{{broker}}"]
[receiver.field]
type = "mqtt"
topics = ["site/#"]
[store]
checkpoint_interval = "1s"
[stream.raw]
from = ["field"]
topics = ["site/#"]
sinks = ["archive"]
[stream.pins]`+event+`sinks = ["mixed"]
late = "mixed"
[stream.far]`+event+`sinks = ["cloud"]
late = "cloud"
[sink.archive]
type = "file"
path = "raw.ndjson"
[sink.mixed]
type = "file"
path = "mixed.ndjson"
[sink.cloud]
type = "http"
url = "`+cloud.URL+`"
`)
	e.Start()
	stop, acked := make(chan struct{}), make(chan []int, 1)
	go func() {
		acked <- trickle(e, stop, 100, func(i int) string {
			ts := time.Now()
			if i%3 == 0 {
				ts = ts.Add(-10 * time.Second)
			}
			return fmt.Sprintf(`{"id":%d,"ts":%d}`, i, ts.UnixMilli())
		})
	}()
	for i := range 6 {
		time.Sleep(time.Duration(900+130*i) * time.Millisecond)
		e.Kill()
		e.Start()
	}
	time.Sleep(time.Second)
	close(stop)
	was := <-acked
	e.AtRest(20 * time.Second)
	stored, twice := ids(e.Rows("raw.ndjson"))
	if len(twice) > 0 || len(stored) < len(was) {
		t.Fatalf("%d messages are stored, %v twice; %d were acknowledged", len(stored), twice, len(was))
	}
	for _, id := range was {
		if !stored[id] {
			t.Errorf("message %d was acknowledged and is not there", id)
		}
	}
	for stream, rows := range map[string]func() []map[string]any{"pins": func() []map[string]any { return e.Rows("mixed.ndjson") }, "far": cloud.Rows} {
		counted := func() (n int) {
			for _, r := range of(rows(), stream) {
				v, _ := r["n"].(float64)
				n += int(v)
			}
			return n
		}
		harness.Until(t, 20*time.Second, stream+": each message is in a window or late", func() bool { return counted()+len(of(rows(), stream+".late")) >= len(stored) })
		late, twice := ids(of(rows(), stream+".late"))
		if n := counted(); len(twice) > 0 || n+len(late) != len(stored) || len(late) < len(stored)/4 {
			t.Errorf("stream %s: %d rows in windows, %d late, %v of them twice; %d messages are stored", stream, n, len(late), twice, len(stored))
		}
		for _, st := range e.AtRest(10 * time.Second).Streams {
			if st.Stream == stream && int(st.Late) != len(late) {
				t.Errorf("stream %s counts %d late, and gave %d", stream, st.Late, len(late))
			}
		}
		r := of(rows(), stream+".late")[0]
		at, err := time.Parse(time.RFC3339Nano, fmt.Sprint(r["time"]))
		if ts := r["payload"].(map[string]any)["ts"].(float64); err != nil || at.UnixMilli() != int64(ts) || r["device"] != strings.Split(r["topic"].(string), "/")[1] {
			t.Errorf("a late row is %v", r)
		}
	}
	if _, _, other := cloud.Keys(); len(other) > 0 {
		t.Errorf("keys with other bytes: %v", other)
	}
	// Another sink for what comes too late: the windows stay, and the sink begins at the oldest late row that is still kept (docs/adr/0021-side-logs.md), which can be one that the other has.
	config := strings.Replace(text(t, e.File), "late = \"mixed\"", "late = \"archive\"", 1)
	if said := becomes(t, e, config); !strings.Contains(said, "stream pins: changed\n") || !strings.Contains(said, "sink archive: changed (its streams)\n") {
		t.Errorf("edged reload says %q", said)
	}
	publish(t, e.Broker, "-q", "1", "-t", "site/9/gpio/1", "-m", `{"id":-1,"ts":1000}`)
	harness.Until(t, 10*time.Second, "a late row in the other file", func() bool {
		there, _ := ids(of(e.Rows("raw.ndjson"), "pins.late"))
		return there[-1]
	})
	e.AtRest(10 * time.Second)
	if there, twice := ids(of(e.Rows("raw.ndjson"), "pins.late")); len(twice) > 0 {
		t.Errorf("of %d late rows in the other file these are there twice: %v", len(there), twice)
	}
	noPartial(t, e.Rows("mixed.ndjson"))
}

func text(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// A sink of late rows that is full closes the way in, as any other: nothing of what comes too late is lost.
func TestASinkOfLateRowsIsFull(t *testing.T) {
	t.Parallel()
	cloud := harness.NewServer(t)
	cloud.Answer(func(*http.Request, string) int { return http.StatusServiceUnavailable })
	e := harness.New(t, withCloud(strings.Replace(strings.Replace(base, "%s", "", 1), "window = \"tumbling 2s\"", "window = \"tumbling 2s\"\ntime = \"ts\"\nlate = \"cloud\"", 1)+"%.0s", cloud.URL)+`max_pending = "64KiB"`)
	e.Start()
	publish(t, e.Broker, "-q", "1", "-t", "site/0/gpio/1", "-m", `{"value":1,"ts":1700000000000}`)
	stop, acked := make(chan struct{}), make(chan []int, 1)
	go func() {
		acked <- trickle(e, stop, 50, func(i int) string {
			return fmt.Sprintf(`{"id":%d,"value":1,"ts":1600000000000,"more":"%01000d"}`, i, 0)
		})
	}()
	harness.Until(t, 20*time.Second, "the way in is closed", func() bool { return e.Status().Blocked["pins.late"] == "cloud" })
	var s daemon.Status
	harness.Until(t, 20*time.Second, "what was taken is stored", func() bool {
		s = e.Status()
		return s.Receivers[0].Received == s.Receivers[0].Stored
	})
	before := s.Receivers[0].Stored
	time.Sleep(time.Second)
	s = e.Status()
	if s.Receivers[0].Stored > before+1 || len(s.Problems) == 0 { // what had been let in may not have been taken yet
		t.Errorf("%d messages were stored, then %d; %q", before, s.Receivers[0].Stored, s.Problems)
	}
	cloud.Answer(nil)
	harness.Until(t, 90*time.Second, "the way in is open again", func() bool { return e.Status().Receivers[0].Stored > before+20 })
	close(stop)
	was := <-acked
	e.AtRest(90 * time.Second)
	late, twice := ids(of(cloud.Rows(), "pins.late"))
	for _, id := range was {
		if !late[id] {
			t.Errorf("message %d was acknowledged, and is not among the late rows", id)
		}
	}
	if len(twice) > 0 {
		t.Errorf("%d late rows, %v of them twice; %d messages were acknowledged", len(late), twice, len(was))
	}
}
