package daemon

import (
	"context"
	"io"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"testing"

	"edged"
	"edged/blockstore"

	"github.com/VictoriaMetrics/metrics"
	"go.etcd.io/bbolt"
)

// openStore returns a store that runs, and what ends it.
func openStore(t *testing.T, dir string) (s *blockstore.Store, end func()) {
	t.Helper()
	s, err := blockstore.Open(dir, blockstore.Default(), slog.New(slog.NewTextHandler(io.Discard, nil)), metrics.NewSet())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	return s, func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// A damaged retained message keeps neither the others nor the gateway from starting.
func TestADamagedRetainedMessageIsHandedOver(t *testing.T) {
	dir := t.TempDir()
	s, end := openStore(t, dir)
	u := &edged.Update{}
	for _, topic := range []string{"a", "b", "c"} {
		u.Puts = append(u.Puts, edged.Put{Space: spaceRetained, Key: topic, Value: []byte("value of " + topic)})
	}
	if err := s.Commit(t.Context(), u, true); err != nil {
		t.Fatal(err)
	}
	end()
	db, err := bbolt.Open(filepath.Join(dir, blockstore.FileName), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	damaged := 0
	err = db.Update(func(tx *bbolt.Tx) error {
		return tx.ForEach(func(_ []byte, b *bbolt.Bucket) error {
			v := slices.Clone(b.Get([]byte("b")))
			if v == nil {
				return nil
			}
			damaged++
			v[0] ^= 1
			return b.Put([]byte("b"), v)
		})
	})
	if err != nil || damaged != 1 {
		t.Fatal(err, damaged)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	s, end = openStore(t, dir)
	defer end()
	got := map[string]string{}
	err = retained{s}.Load(func(topic string, value []byte) error {
		got[topic] = string(value)
		return nil
	})
	if want := map[string]string{"a": "value of a", "b": "", "c": "value of c"}; err != nil || !maps.Equal(got, want) {
		t.Errorf("%v %q", err, got)
	}
}
