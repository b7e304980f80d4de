package daemon

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"edged"
	"edged/blockstore"

	"github.com/VictoriaMetrics/metrics"
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

// flip flips a bit of a value wherever the store has it.
func flip(t *testing.T, dir, value string) {
	t.Helper()
	path := filepath.Join(dir, blockstore.FileName)
	b, err := os.ReadFile(path)
	if err != nil || !bytes.Contains(b, []byte(value)) {
		t.Fatalf("%q is not in the store: %v", value, err)
	}
	if err := os.WriteFile(path, bytes.ReplaceAll(b, []byte(value), append([]byte{value[0] ^ 1}, value[1:]...)), 0o600); err != nil {
		t.Fatal(err)
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
	flip(t, dir, "value of b")
	s, end = openStore(t, dir)
	defer end()
	got := map[string]string{}
	err := retained{s}.Load(func(topic string, value []byte) error {
		got[topic] = string(value)
		return nil
	})
	if want := map[string]string{"a": "value of a", "b": "", "c": "value of c"}; err != nil || !maps.Equal(got, want) {
		t.Errorf("%v %q", err, got)
	}
}
