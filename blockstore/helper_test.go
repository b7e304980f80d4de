package blockstore

import (
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"edged"

	"github.com/VictoriaMetrics/metrics"
	"go.etcd.io/bbolt"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var quiet = slog.New(slog.DiscardHandler)

// feed is a source whose test says what it has.
type feed struct {
	mu    sync.Mutex
	name  string
	wall  int64
	epoch uint32
	queue []edged.Parcel
	cuts  int
}

// put queues a block with these payloads, one message each, and moves the feed's time on by 10 a message.
func (f *feed) put(done func(error), payloads ...string) *edged.Block {
	f.mu.Lock()
	defer f.mu.Unlock()
	b := &edged.Block{Receiver: f.name, Topics: []string{"t/" + f.name}, Trusted: true}
	for _, p := range payloads {
		f.wall += 10
		b.Topic = append(b.Topic, 0)
		b.Arrival = append(b.Arrival, f.wall)
		b.Flags = append(b.Flags, 1)
		b.Data = append(b.Data, p...)
		b.End = append(b.End, uint32(len(b.Data)))
	}
	b.Cut = edged.Instant{Wall: f.wall, Epoch: f.epoch}
	if done == nil {
		done = func(error) {}
	}
	f.queue = append(f.queue, edged.Parcel{Block: b, Done: done})
	return b
}

func (f *feed) Cut(limit int64) edged.Handover {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.cuts++
	h := edged.Handover{At: edged.Instant{Wall: f.wall, Epoch: f.epoch}}
	for len(f.queue) > 0 {
		if size := f.queue[0].Block.Size(); size > limit {
			h.At = edged.Instant{Wall: f.queue[0].Block.Arrival[0] - 10}
			break
		} else {
			limit -= size
		}
		h.Parcels = append(h.Parcels, f.queue[0])
		f.queue = f.queue[1:]
	}
	for _, p := range f.queue {
		h.Left += p.Block.Size()
	}
	return h
}

// noise is n bytes that cannot be packed.
func noise(n int) string {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{byte(n)}).Read(b)
	return string(b)
}

func open(t testing.TB, dir string, change func(*Config)) *Store {
	t.Helper()
	c := Default()
	c.MaxBytes = 64 << 20
	if change != nil {
		change(c)
	}
	s, err := Open(dir, c, quiet, metrics.NewSet())
	if err != nil {
		t.Fatal(err)
	}
	s.reserved.never = true // thousands of small stores are made here, and what they take of the disk is given back each time
	return s
}

// step runs one round and tells its outcome, as Run does.
func step(t testing.TB, s *Store) {
	t.Helper()
	if err := s.commitRound(false); err != nil {
		t.Fatal(err)
	}
}

func closeStore(t testing.TB, s *Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// all reads the block log from seq on.
func all(t testing.TB, s *Store, seq uint64) []edged.Entry {
	t.Helper()
	var out []edged.Entry
	for {
		e, ok, err := s.Next(seq)
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return out
		}
		out = append(out, e)
		seq = e.Seq + 1
	}
}

func payloads(entries []edged.Entry) []string {
	var out []string
	for _, e := range entries {
		if e.Block == nil {
			continue
		}
		for i := range e.Block.Len() {
			out = append(out, string(e.Block.Payload(i)))
		}
	}
	return out
}

// snapshot copies the store's file as a crash would leave it.
func snapshot(t testing.TB, s *Store) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "edged-store-")
	if err != nil {
		t.Fatal(err)
	}
	if c, ok := t.(interface{ Cleanup(func()) }); ok {
		c.Cleanup(func() { os.RemoveAll(dir) })
	}
	from, err := os.Open(s.path)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	to, err := os.Create(filepath.Join(dir, FileName))
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	var used int64
	if err := s.db.View(func(tx *bbolt.Tx) error { used = tx.Size(); return nil }); err != nil {
		t.Fatal(err)
	}
	fi, err := from.Stat()
	if err == nil {
		_, err = io.CopyN(to, from, used)
	}
	if err == nil {
		err = to.Truncate(fi.Size()) // the reserve's blocks hold nothing
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func newSet() *metrics.Set { return metrics.NewSet() }
