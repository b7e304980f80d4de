package power

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"edged/test/harness"
	"edged/test/rawmqtt"
)

// outcome is what a gateway made of the disk that a power cut left.
type outcome struct {
	acked, lost, doubled int64
	aside                bool   // the store was set aside
	wrong                string // anything else that is not as promised
}

// judge starts the gateway on an image and compares what it delivers with what was acknowledged.
func (r *run) judge(t testing.TB, f Fate) (o outcome) {
	acked := r.acked(f.Cut)
	o.acked = int64(len(acked))
	p := &probe{TB: t}
	done := make(chan struct{})
	go func() { // which ends when the probe fails
		defer close(done)
		defer p.end()
		root := Mount(p)
		r.After(f).NextRun().Lay(p, root)
		e := in(p, root)
		e.Start()
		after := message{device: "after", n: 1, qos: 1}
		w, _ := rawmqtt.Login(p, fmt.Sprintf("127.0.0.1:%d", e.Broker), rawmqtt.Connect{ID: "after"})
		r.retained(p, w, acked)
		w.Publish(rawmqtt.Publish{Topic: after.topic(), Payload: after.payload(), QoS: 1, ID: 1})
		w.Acks(0x40, 1)
		e.AtRest(30 * time.Second)
		raw := rawRows(p, e)
		seen := map[string]int64{}
		groups := map[string]float64{}
		for _, row := range raw {
			payload, _ := row["payload"].(map[string]any)
			seen[fmt.Sprint(payload["name"])]++
			level := strings.Split(fmt.Sprint(row["topic"]), "/")
			groups[level[1]+"/"+level[3]]++
		}
		for _, m := range append(acked, after) {
			if seen[m.name()] == 0 {
				o.lost++
			}
		}
		for _, n := range seen {
			o.doubled += n - 1
		}
		if o.lost+o.doubled == 0 {
			o.doubled += windows(p, e, groups, len(raw))
		}
		aside, _ := filepath.Glob(filepath.Join(e.Dir, "*corrupt*"))
		o.aside = len(aside) > 0
	}()
	<-done
	o.wrong = p.text()
	if p.fatal {
		o.lost = max(o.lost, o.acked)
	}
	return o
}

// retained checks that each retained topic holds its newest acknowledged message, or one that was published after it.
func (r *run) retained(t testing.TB, w *rawmqtt.Client, acked []message) {
	newest := map[string]int{}
	for _, m := range acked {
		if m.retain {
			newest[m.topic()] = max(newest[m.topic()], m.n)
		}
	}
	w.Subscribe(2, "site/#", 0)
	w.Send([]byte{0xC0, 0})
	for {
		f := w.Read()
		if f.Kind == 0xD0 {
			break
		}
		m, _ := f.Message()
		var payload struct{ Name string }
		if err := json.Unmarshal([]byte(m.Payload), &payload); err != nil || !m.Retain {
			t.Errorf("a retained message: %v: %v", err, m)
		}
		var n int
		_, number, _ := strings.Cut(payload.Name, "/")
		fmt.Sscan(number, &n)
		if n < newest[m.Topic] {
			t.Errorf("topic %s holds message %d, and %d was acknowledged", m.Topic, n, newest[m.Topic])
		}
		delete(newest, m.Topic)
	}
	for topic, n := range newest {
		t.Errorf("topic %s holds nothing, and message %d was acknowledged", topic, n)
	}
	w.Send(rawmqtt.Unsubscribe(false, 3, "site/#"))
	if f := w.Read(); f.Kind != 0xB0 {
		t.Fatalf("want UNSUBACK, have %v", f)
	}
}

// rawRows reads the raw file and its closed generations, when all of those are compressed.
func rawRows(t testing.TB, e *harness.Edged) (rows []map[string]any) {
	var packed []string
	harness.Until(t, 20*time.Second, "closed files are compressed", func() bool {
		plain, _ := filepath.Glob(filepath.Join(e.Dir, "raw-*.ndjson"))
		halves, _ := filepath.Glob(filepath.Join(e.Dir, ".raw-*"))
		packed, _ = filepath.Glob(filepath.Join(e.Dir, "raw-*.ndjson.gz"))
		return len(plain)+len(halves) == 0
	})
	for _, path := range append(packed, filepath.Join(e.Dir, "raw.ndjson")) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(path, ".gz") {
			text = unpack(t, path, text)
		}
		lines := bufio.NewScanner(bytes.NewReader(text))
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			var row map[string]any
			if err := json.Unmarshal(lines.Bytes(), &row); err != nil {
				t.Fatalf("%s: %v: %.200q", filepath.Base(path), err, lines.Text())
			}
			rows = append(rows, row)
		}
	}
	return rows
}

func unpack(t testing.TB, path string, text []byte) []byte {
	z, err := gzip.NewReader(bytes.NewReader(text))
	var out bytes.Buffer
	if err == nil {
		_, err = out.ReadFrom(z)
	}
	if err != nil {
		t.Fatalf("%s: %v", filepath.Base(path), err)
	}
	return out.Bytes()
}

// windows waits until the windows have counted all raw rows, compares them group by group, and returns how many windows are there
// twice.
func windows(t testing.TB, e *harness.Edged, raw map[string]float64, all int) (twice int64) {
	counts, seen := map[string]float64{}, map[string]int64{}
	harness.Until(t, 20*time.Second, "all windows have closed", func() bool {
		clear(counts)
		clear(seen)
		total := 0.0
		for _, r := range e.Rows("aggregates.ndjson") {
			n, _ := r["n"].(float64)
			group := fmt.Sprint(r["device"], "/", r["pin"])
			counts[group] += n
			seen[fmt.Sprint(group, r["window_start"], r["epoch"])]++
			total += n
		}
		return total >= float64(all)
	})
	for g, n := range raw {
		if counts[g] != n {
			t.Errorf("group %s: %v raw rows, %v in the windows", g, n, counts[g])
		}
	}
	for _, n := range seen {
		twice += n - 1
	}
	return twice
}
