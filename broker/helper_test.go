package broker

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"edged"

	"github.com/VictoriaMetrics/metrics"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patient is how long a test waits for what must happen.
const patient = 10 * time.Second

// soon waits for a condition.
func soon(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patient); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("did not happen: %s", what)
		}
	}
}

// logged is a log that a test can read.
type logged struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logged) has(s string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Contains(l.buf.String(), s)
}

// server is a broker that runs for one test.
type server struct {
	*Broker
	addr string
	log  *logged
	stop func() error
}

type setup struct {
	cfg      func(*Config)
	retained Retained
	attach   map[string]edged.Handler // by filter
}

func start(t testing.TB, s setup) *server {
	t.Helper()
	cfg := Default()
	cfg.Listen = []string{"tcp://127.0.0.1:0"}
	if s.cfg != nil {
		s.cfg(cfg)
	}
	log := &logged{}
	b, err := New(cfg, Options{Log: slog.New(slog.NewTextHandler(log, nil)), Metrics: metrics.NewSet(), Retained: s.retained})
	if err != nil {
		t.Fatal(err)
	}
	for filter, h := range s.attach {
		b.Attach([]string{filter}, h)
	}
	if err := b.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- b.Run(ctx) }()
	srv := &server{Broker: b, addr: b.Addrs()[0].String(), log: log}
	srv.stop = sync.OnceValue(func() error {
		cancel()
		select {
		case err := <-ended:
			return err
		case <-time.After(patient):
			return errors.New("Run did not return")
		}
	})
	t.Cleanup(func() {
		if err := srv.stop(); err != nil {
			t.Error(err)
		}
		if log.has("given up") {
			t.Errorf("it did not end cleanly:\n%s", log.buf.String())
		}
	})
	return srv
}
