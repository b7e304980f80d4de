package fault

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"edged/test/harness"
	"edged/test/load"
	"edged/test/rawmqtt"
	"edged/test/verdict"
)

// The disk below one sink's file is full: that sink waits and says what to do, the other goes on; killed meanwhile, and with room again, it
// writes each row once, and no half line stays.
func TestTheDiskOfASinkIsFull(t *testing.T) {
	t.Parallel()
	e := harness.New(t, "")
	disk := mount(t, e.Dir+"/disk", 2)
	e.Configure(strings.Replace(load.Config, `"raw.ndjson"`, `"{{dir}}/disk/raw.ndjson"`, 1))
	e.Start()
	run := load.Under(t, e, load.Plan{Rate: 2000, For: 5 * time.Second, Extra: []string{"-pad", "600"}}, func() {
		says(t, e, "sink archive", "make room on the file system of "+disk.dir)
		before := deliveryOf(t, e.Status(), "pins", "aggregates").Delivered
		harness.Until(t, 30*time.Second, "the other sink goes on", func() bool { return deliveryOf(t, e.Status(), "pins", "aggregates").Delivered > before })
		if e.Status().Store.Full {
			t.Error("the store has room, and takes nothing in")
		}
		e.Kill()
		e.Start()
		says(t, e, "sink archive", "no space left on device")
		disk.resize(64)
	})
	e.AtRest(60 * time.Second)
	const fault = "the disk of a sink's file is full, and a SIGKILL meanwhile"
	v := load.Judge(t, e, run, fault, "disk/raw.ndjson")
	v.Expected = "the sink waited and said so, the other went on, it recovered by itself"
	v.Holds(t)
	load.SameCounts(t, e, e.Rows("disk/raw.ndjson"))
}

// spoil publishes n messages with QoS 1 that are no JSON, and waits for their acknowledgements.
func spoil(t testing.TB, e *harness.Edged, from, n int) {
	t.Helper()
	w, _ := rawmqtt.Login(t, fmt.Sprintf("127.0.0.1:%d", e.Broker), rawmqtt.Connect{ID: "poison"})
	defer w.Disconnect()
	for i := 0; i < n; i += 10 {
		for k := range 10 {
			w.Publish(rawmqtt.Publish{Topic: "site/p/gpio/1", QoS: 1, ID: uint16(k + 1), Payload: fmt.Sprintf(`{"poison":%d,%s`, from+i+k, strings.Repeat("x", 100))})
		}
		for k := range 10 {
			w.Acks(0x40, uint16(k+1))
		}
	}
}

// letters counts how often each poisoned message is in the file of dead letters of one stream.
func letters(t testing.TB, e *harness.Edged, name, stream string) map[string]int {
	t.Helper()
	seen := map[string]int{}
	for _, r := range e.Rows(name) {
		if r["from"] == stream || r["stream"] == stream {
			_, text, _ := strings.Cut(fmt.Sprint(r["payload"]), `"poison":`)
			id, _, _ := strings.Cut(text, ",")
			seen[id]++
		}
	}
	return seen
}

func judgeLetters(fault string, n int, seen map[string]int, dropped int) verdict.Verdict {
	v := verdict.Verdict{Fault: fault, Acked: int64(n), Lost: int64(max(0, n-len(seen)-dropped))}
	for _, k := range seen {
		v.Doubled += int64(k - 1)
	}
	return v
}

// The disk of the dead letters is full: they wait in the store, everything else goes on; with room again each is there once.
func TestTheDiskOfTheDeadLettersIsFull(t *testing.T) {
	long(t)
	t.Parallel()
	e := harness.New(t, "")
	disk := mount(t, e.Dir+"/disk", 1)
	e.Configure(load.With(load.Config, "dead_letters", `path = "{{dir}}/disk/dead.ndjson"`))
	e.Start()
	spoil(t, e, 0, 100)
	harness.Until(t, 20*time.Second, "dead letters are written", func() bool { return len(letters(t, e, "disk/dead.ndjson", "raw")) > 0 })
	empty := disk.stuff()
	const n = 900
	run := load.Under(t, e, load.Plan{Rate: 500, For: 3 * time.Second}, func() {
		spoil(t, e, 100, n-100)
		says(t, e, "dead letters:", "make room on the file system of "+disk.dir)
	})
	harness.Until(t, 30*time.Second, "the other sink has everything", func() bool { return int64(len(e.Rows("raw.ndjson"))) >= run.Acked })
	if deliveryOf(t, e.Status(), "dead_letters", "dead_letters").Pending == 0 {
		t.Error("no dead letter waits")
	}
	load.Judge(t, e, run, "the disk of the dead letters is full: the other rows", "raw.ndjson").Holds(t)
	empty()
	e.AtRest(60 * time.Second)
	seen := letters(t, e, "disk/dead.ndjson", "raw")
	v := judgeLetters("the disk of the dead letters is full: the dead letters", n, seen, 0)
	v.Expected = "they waited, the other sinks went on"
	v.Holds(t)
	delete(seen, "0")
	judgeLetters("the disk of the dead letters is full, one taken away", n, seen, 0).Breaks(t)
}

// The dead letters have reached their max_bytes: further ones are counted, not kept, to the letter.
func TestTheDeadLettersAreFull(t *testing.T) {
	t.Parallel()
	e := harness.New(t, load.With(load.Config, "dead_letters", `max_bytes = "64KiB"`))
	e.Start()
	const n = 600
	spoil(t, e, 0, n)
	s := e.AtRest(30 * time.Second)
	d := deliveryOf(t, s, "dead_letters", "dead_letters")
	rows := 0
	for _, stream := range []string{"raw", "pins"} {
		for _, k := range letters(t, e, "dead.ndjson", stream) {
			rows += k
		}
	}
	if fi, err := os.Stat(e.Dir + "/dead.ndjson"); err != nil || fi.Size() > 64<<10 {
		t.Errorf("the file: %v, %v", fi, err)
	}
	lost := int64(d.Produced) - int64(rows) - int64(d.Dropped)
	if d.Produced != 2*n || d.Dropped == 0 {
		t.Errorf("%d poisoned messages for two streams: %+v", n, d)
	}
	v := verdict.Verdict{Fault: "the dead letters have reached max_bytes", Acked: n, Lost: max(0, lost), Doubled: max(0, -lost),
		Expected: fmt.Sprintf("%d letters, %d kept, %d counted as dropped", d.Produced, rows, d.Dropped)}
	v.Holds(t)
	v.Fault, v.Lost = v.Fault+", the count left out", int64(d.Produced)-int64(rows)
	v.Breaks(t)
}
