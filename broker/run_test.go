package broker

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"edged/test/await"
	"edged/test/rawmqtt"

	"edged"

	"github.com/VictoriaMetrics/metrics"
)

func TestAPortInUseIsOneClearLine(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	cfg := Default()
	cfg.Listen = []string{"tcp://127.0.0.1:0", "tcp://" + l.Addr().String()}
	b, err := New(cfg, Options{Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Metrics: metrics.NewSet()})
	if err != nil {
		t.Fatal(err)
	}
	err = b.Listen()
	if err == nil || !strings.Contains(err.Error(), cfg.Listen[1]+" is in use by another program") || strings.Contains(err.Error(), "\n") {
		t.Fatal(err)
	}
	if c, err := net.Dial("tcp", b.Addrs()[0].String()); err == nil {
		_ = c.Close()
		t.Fatal("the other address is still listened on")
	}
}

func TestDrainAcknowledgesWhatWasTakenAndTakesNoMore(t *testing.T) {
	r := &receiver{}
	s := start(t, setup{attach: handlers(r)})
	three, _ := connect(t, s, rawmqtt.Connect{ID: "three", Will: "site/will"})
	five, _ := connect(t, s, rawmqtt.Connect{ID: "five", V5: true})
	three.Publish(rawmqtt.Publish{Topic: "site/1", QoS: 1, ID: 1})
	five.Publish(rawmqtt.Publish{Topic: "site/1", QoS: 2, ID: 1})
	r.has(t, 2)
	drained := make(chan error, 1)
	go func() { drained <- s.Drain(context.Background()) }()
	await.Soon(t, "the port closes", func() bool {
		c, err := net.Dial("tcp", s.addr)
		if err == nil {
			_ = c.Close()
		}
		return err != nil
	})
	await.Soon(t, "the intake stops", func() bool {
		return errors.Is(s.Publish(t.Context(), "other", nil, 1, false), edged.ErrStopped)
	})
	three.Publish(rawmqtt.Publish{Topic: "site/1", QoS: 1, ID: 2}, rawmqtt.Publish{Topic: "site/1"})
	if len(drained) > 0 {
		t.Fatal("drained although acknowledgements are outstanding")
	}
	r.commit(nil)
	three.Acks(0x40, 1)
	five.Acks(0x50, 1)
	if err := <-drained; err != nil {
		t.Fatal(err)
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	if code := five.Ended(); code != 0x8B {
		t.Fatalf("DISCONNECT %02X", code)
	}
	three.Ended()
	r.has(t, 2)
}

func TestDrainIsBounded(t *testing.T) {
	r := &receiver{}
	s := start(t, setup{attach: handlers(r)})
	w, _ := connect(t, s, rawmqtt.Connect{ID: "c"})
	w.Publish(rawmqtt.Publish{Topic: "site/1", QoS: 1, ID: 1})
	r.has(t, 1)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := s.Drain(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
}

func TestStoppingWithEverythingStuckTakesLittleTime(t *testing.T) {
	t.Parallel()
	never := &receiver{refuse: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }}
	r := &receiver{}
	s := start(t, setup{attach: map[string]edged.Handler{"never": never, "site/#": r}})
	for _, id := range []string{"a", "b"} {
		stuck, _ := connect(t, s, rawmqtt.Connect{ID: id, V5: id == "b", Will: "never", WillQoS: 1})
		stuck.Subscribe(1, "#", 1)
		stuck.Publish(rawmqtt.Publish{Topic: "site/1", QoS: 1, ID: 1}, rawmqtt.Publish{Topic: "never", QoS: 1, ID: 2})
	}
	dial(t, s) // says nothing
	r.has(t, 2)
	for range 300 {
		if err := s.Publish(t.Context(), "big", make([]byte, 100<<10), 1, false); err != nil {
			t.Fatal(err)
		}
	}
	began := time.Now()
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	if d := time.Since(began); d > lastDeliveries+lastWords+10*time.Second { // which a busy machine takes besides
		t.Fatalf("it took %v", d)
	}
}
