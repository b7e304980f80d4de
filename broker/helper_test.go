package broker

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"edged/test/await"
	"edged/test/rawmqtt"

	"edged"

	"github.com/VictoriaMetrics/metrics"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patient = await.Patience

// server is a broker that runs for one test.
type server struct {
	*Broker
	addr string
	log  *await.Log
	stop func() error
}

type setup struct {
	cfg      func(*Config)
	retained Retained
	attach   map[string]edged.Handler // by filter
	store    *book                    // of sessions; nil: they are in memory
	before   func(*Broker)            // is called before it runs
	patience func() time.Duration     // Options.Patience
}

func start(t testing.TB, s setup) *server {
	t.Helper()
	cfg := Default()
	cfg.Listen = []string{"tcp://127.0.0.1:0"}
	if s.cfg != nil {
		s.cfg(cfg)
	}
	log := &await.Log{}
	o := Options{Log: slog.New(slog.NewTextHandler(log, nil)), Metrics: metrics.NewSet(), Retained: s.retained, Patience: s.patience}
	if s.store != nil {
		o.Store = s.store
	}
	b, err := New(cfg, o)
	if err != nil {
		t.Fatal(err)
	}
	for filter, h := range s.attach {
		b.Attach(filter, []string{filter}, h)
	}
	if s.before != nil {
		s.before(b)
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
		if log.Count("given up") > 0 {
			t.Errorf("it did not end cleanly:\n%s", log)
		}
	})
	return srv
}

func dial(t testing.TB, s *server) *rawmqtt.Client { t.Helper(); return rawmqtt.Dial(t, s.addr) }

// connect dials, and fails unless the connection is accepted.
func connect(t testing.TB, s *server, o rawmqtt.Connect) (w *rawmqtt.Client, present bool) {
	t.Helper()
	return rawmqtt.Login(t, s.addr, o)
}

// published takes a PUBLISH apart.
func published(t testing.TB, f rawmqtt.Frame) rawmqtt.Message {
	t.Helper()
	m, ok := f.Message()
	if !ok {
		t.Fatalf("want PUBLISH, have %v", f)
	}
	return m
}

// get returns a session; nil if there is none.
func (ss *sessions) get(id string) *session {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	return ss.byID[id]
}
