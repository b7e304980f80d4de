package custom

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"edged"
	"edged/receiver/receivertest"
	"edged/test/await"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// put writes a reading, and gives it its name when it is whole.
func put(t *testing.T, dir string, i int, payload string) {
	t.Helper()
	name := filepath.Join(dir, fmt.Sprintf("%04d.reading", i))
	if err := os.WriteFile(name+".part", []byte(payload), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(name+".part", name); err != nil {
		t.Fatal(err)
	}
}

func left(t *testing.T, dir string) int {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

func TestConformance(t *testing.T) {
	receivertest.Run(t, func(t *testing.T, payloads []string) (edged.Receiver, func()) {
		dir := t.TempDir()
		for i, p := range payloads {
			put(t, dir, i, p)
		}
		return &Spool{Dir: dir, Topic: "spool/1", Every: time.Millisecond}, func() {}
	})
}

// refusing is a handler that takes messages, and can store none.
type refusing struct{ err error }

func (r refusing) Take(_ context.Context, _ *edged.Message, ack edged.Acker, token uint64) error {
	go func() {
		ack.Acked(token, edged.Pos{}, r.err)
		ack.Flush()
	}()
	return nil
}

func TestWhatIsNotStoredStays(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, 1, `{"value":1}`)
	put(t, dir, 2, `{"value":2}`)
	full := errors.New("the disk is gone")
	s := &Spool{Dir: dir, Topic: "spool/1", Every: time.Millisecond}
	if err := s.Run(t.Context(), refusing{full}); !errors.Is(err, full) || edged.ClassOf(err) != edged.Retryable {
		t.Errorf("Run returned %v", err)
	}
	if n := left(t, dir); n != 2 {
		t.Errorf("%d of 2 files are left", n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx, refusing{nil}) }()
	await.Soon(t, "the next life has them stored, and removes them", func() bool { return left(t, dir) == 0 })
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("Run returned %v", err)
	}
}

func TestADirectoryThatIsNotThereIsTriedAgain(t *testing.T) {
	s := &Spool{Dir: filepath.Join(t.TempDir(), "none"), Topic: "spool/1", Every: time.Millisecond}
	if err := s.Run(t.Context(), refusing{}); err == nil || edged.ClassOf(err) != edged.Retryable || !strings.Contains(err.Error(), s.Dir) {
		t.Errorf("Run returned %v", err)
	}
}
