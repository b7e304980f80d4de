package fault

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"edged/blockstore"
	"edged/blockstore/pages"
	"edged/test/harness"
	"edged/test/load"
	"edged/test/port"
	"edged/test/rawmqtt"
)

// backlog is a killed gateway's data directory: what was acknowledged is in the store, on its way to an endpoint that was never there.
type backlog struct {
	files  map[string][]byte
	config string
	n      int
	blocks []extent // of messages in the store's file
}

// extent is where the messages of a block stand, from its page's beginning to its checksum.
type extent struct{ first, last, from, to int }

const (
	body   = 260
	window = 20
)

// payload is message i. Some blocks can be packed, and some cannot.
func payload(i int) string {
	head := fmt.Sprintf(`{"value":%d,"id":"<%06d>","pad":"`, i, i)
	pad := strings.Repeat("x", body-len(head)-2)
	if i/window%2 == 0 {
		pad = noise(uint64(i), len(pad))
	}
	return head + pad + `"}`
}

// noise are n letters that cannot be packed.
func noise(seed uint64, n int) string {
	r, b := rand.New(rand.NewPCG(seed, 7)), make([]byte, n)
	for i := range b {
		b[i] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[r.Uint32()&63]
	}
	return string(b)
}

func leaveBehind(t *testing.T) *backlog {
	t.Helper()
	config := strings.NewReplacer(`sinks = ["archive"]`, `sinks = ["archive", "cloud"]`, "tumbling 2s", "tumbling 500ms").Replace(load.Config) + `
[sink.cloud]
type = "http"
url = "{{cloud}}"
batch_age = "50ms"
`
	o := &backlog{files: map[string][]byte{}, config: config, n: 2400}
	e := harness.New(t, strings.Replace(config, "{{cloud}}", fmt.Sprintf("http://127.0.0.1:%d/", port.Free(t)), 1))
	e.Start()
	w, _ := rawmqtt.Login(t, fmt.Sprintf("127.0.0.1:%d", e.Broker), rawmqtt.Connect{ID: "sensor"})
	for i := 0; i < o.n; i += window {
		var ms []rawmqtt.Publish
		var ids []uint16
		for k := i; k < i+window; k++ {
			ids = append(ids, uint16(k+1))
			ms = append(ms, rawmqtt.Publish{Topic: fmt.Sprintf("site/%d/gpio/%d", k%3, k%5), Payload: payload(k), QoS: 1, ID: uint16(k + 1)})
		}
		w.Publish(ms...)
		w.Acks(0x40, ids...)
	}
	for i := range 10 { // what is retained is in the store, too
		w.Publish(rawmqtt.Publish{Topic: fmt.Sprint("kept/", i), Payload: strings.Repeat("r", 300), QoS: 1, ID: uint16(i + 1), Retain: true})
		w.Acks(0x40, uint16(i+1))
	}
	harness.Until(t, 20*time.Second, "the file has everything", func() bool {
		for _, k := range e.Status().Sinks {
			for _, d := range k.Deliveries {
				if k.Name == "archive" && (d.Delivered != uint64(o.n) || d.Pending != 0) || k.Name == "aggregates" && d.Delivered == 0 {
					return false
				}
			}
		}
		return true
	})
	e.Kill()
	entries, err := os.ReadDir(e.Dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range entries {
		if o.files[f.Name()], err = os.ReadFile(filepath.Join(e.Dir, f.Name())); err != nil {
			t.Fatal(err)
		}
	}
	o.locate(t, filepath.Join(e.Dir, "edged.db"))
	return o
}

// locate finds the blocks in the store's file, and the messages of each.
func (o *backlog) locate(t *testing.T, path string) {
	t.Helper()
	a, err := blockstore.OpenArchive(path)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	file := o.files["edged.db"]
	f := pages.New(bytes.NewReader(file), int64(len(file)), 4096)
	good, _ := f.InForce([16]byte{})
	if len(good) == 0 {
		t.Fatal("the store was left behind damaged")
	}
	w := f.Walk(good[0].High, func(d pages.Damage) { t.Error(d) })
	var entry func(e *pages.Element)
	entry = func(e *pages.Element) {
		if string(e.Key) == "Tlog" { // the shelf: what is older
			w.Bucket(e, entry)
		}
		if e.Key[0] != 'L' {
			return
		}
		b := extent{first: -1}
		w.Bucket(e, func(v *pages.Element) { b.from, b.to = int(v.Page)*4096, int(v.Off)+int(v.Len) })
		if entry, ok, err := a.Next(binary.BigEndian.Uint64(e.Key[1:])); err != nil || !ok || entry.Err != nil {
			t.Error(err, entry.Err)
		} else if entry.Block != nil {
			for k := range entry.Block.Len() {
				if n, err := fmt.Sscanf(string(entry.Block.Payload(k)), `{"value":%d`, &b.last); n != 1 {
					t.Error(err)
				}
				if b.first < 0 {
					b.first = b.last
				}
			}
			o.blocks = append(o.blocks, b)
		}
	}
	w.Tree(good[0].Root, entry)
	slices.SortFunc(o.blocks, func(a, b extent) int { return cmp.Compare(a.first, b.first) })
	o.complete(t)
}

// complete looks whether every message is in one block.
func (o *backlog) complete(t *testing.T) {
	t.Helper()
	next := 0
	for _, b := range o.blocks {
		if b.first != next {
			t.Fatalf("a block begins with message %d, and the one before ends with %d", b.first, next-1)
		}
		next = b.last + 1
	}
	if next != o.n {
		t.Fatalf("%d of %d messages are in the store", next, o.n)
	}
	if len(o.blocks) < 30 {
		t.Fatalf("only %d blocks: damage would show little", len(o.blocks))
	}
}
