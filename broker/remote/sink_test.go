package remote

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"edged/test/await"

	"edged"
	"edged/sinks/mqtt"
	"edged/sinks/spec"

	"github.com/VictoriaMetrics/metrics"
)

const (
	sinkDevices  = 4
	sinkRows     = 100 // of a delivery
	sinkDelivery = 80
)

// sinkTurn makes deliveries of numbered rows, of several devices in turns.
func sinkTurn(from, to int) (turn []edged.Delivery) {
	for d := from; d < to; d++ {
		rows := &edged.Rows{Stream: "pins", Names: []string{"device", "n"}}
		for i := range sinkRows {
			n := d*sinkRows + i
			rows.Cells = append(rows.Cells, edged.TextValue(fmt.Sprint(n%sinkDevices)), edged.NumberValue(float64(n)))
			rows.At = append(rows.At, edged.Pos{Seq: uint64(d + 1), Off: uint32(i)})
		}
		turn = append(turn, edged.Delivery{Key: fmt.Sprint("key/", d), Rows: rows})
	}
	return turn
}

// A Mosquitto that is killed and started again in the middle, twice: every row arrives, those of a topic in their order, and what comes twice is
// what was under way at a kill.
func TestTheSinkSurvivesAMosquittoThatIsKilled(t *testing.T) {
	t.Parallel()
	m := newMosquitto(t)
	h := &handler{}
	cfg := m.config()
	cfg.QoS = 0 // Mosquitto writes such a message to the subscriber's socket before it acknowledges it to the publisher
	sub := run(t, cfg, []string{"results/#"}, &memory{}, h)
	sub.connected(t, 1)
	access := m.sender()
	var senders []*Sender
	t.Cleanup(func() {
		for _, s := range senders {
			s.fed.Wait()
		}
	})
	c := mqtt.Default(access)
	c.Topic = "results/{stream}/{device}"
	sink := c.New(spec.Env{
		Name: "hub", Log: slog.New(slog.DiscardHandler), Metrics: metrics.NewSet(),
		Dial: func(ctx context.Context, to spec.Remote) (spec.Publisher, error) {
			s, err := Dial(ctx, to.(*Access))
			if err != nil {
				return nil, err
			}
			senders = append(senders, s)
			return s, nil
		},
	})
	t.Cleanup(func() { sink.Close() })

	failed, goOn, ended := make(chan error), make(chan bool), make(chan error, 1)
	go func() { ended <- writeAll(t.Context(), sink, failed, goOn) }()
	for kill, at := range []int{1000, 4000} {
		await.Soon(t, "it is under way", func() bool { return len(h.payloads()) >= at })
		m.kill()
		if err := <-failed; edged.ClassOf(err) != edged.Retryable {
			t.Fatal(err)
		}
		m.start()
		sub.connected(t, uint64(kill+2))
		goOn <- true
	}
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	const rows = sinkRows * sinkDelivery
	last := fmt.Sprintf(`{"stream":"pins","device":"%d","n":%d}`, (rows-1)%sinkDevices, rows-1)
	await.Soon(t, "the last row arrives", func() bool { p := h.payloads(); return p[len(p)-1] == last })
	checkArrived(t, h, rows)
}

// writeAll writes everything, as the delivery's runner does. It says when a Write has failed, and goes on when it is told to.
func writeAll(ctx context.Context, sink edged.Sink, failed chan<- error, goOn <-chan bool) error {
	open, turn := false, []edged.Delivery(nil)
	for d := 0; d < sinkDelivery || len(turn) > 0; {
		err := error(nil)
		if !open {
			err = sink.Open(ctx, nil, turn)
		}
		if open = err == nil; open {
			if len(turn) == 0 {
				turn = sinkTurn(d, d+4)
				d += 4
			}
			var done int
			done, _, err = sink.Write(ctx, turn)
			turn = turn[done:]
		}
		if err != nil {
			sink.Close()
			open = false
			select {
			case failed <- err:
			case <-time.After(patient):
				return err
			}
			<-goOn
		}
	}
	return nil
}

// checkArrived finds every row, in the order of its topic, with no more doubles than two kills explain.
func checkArrived(t *testing.T, h *handler, rows int) {
	t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	next, doubles := map[string]int{}, 0
	for _, m := range h.stored {
		var device string
		var n int
		if _, err := fmt.Sscanf(strings.NewReplacer(`"`, " ", ",", " ", "}", " ").Replace(string(m.Payload)), "{ stream : pins   device : %s   n :%d", &device, &n); err != nil {
			t.Fatalf("%s: %v", m.Payload, err)
		}
		if m.Topic != "results/pins/"+device || fmt.Sprint(n%sinkDevices) != device {
			t.Fatalf("%s on %s", m.Payload, m.Topic)
		}
		switch k := n / sinkDevices; {
		case k == next[device]:
			next[device]++
		case k > next[device]:
			t.Fatalf("on %s came number %d, and %d did not come", m.Topic, k, next[device])
		case next[device]-k > sending/sinkDevices+1:
			t.Fatalf("on %s came number %d again behind %d: more than was under way", m.Topic, k, next[device])
		default:
			doubles++
		}
	}
	for device, n := range next {
		if n != rows/sinkDevices {
			t.Errorf("device %s: %d of %d rows", device, n, rows/sinkDevices)
		}
	}
	if len(next) != sinkDevices || doubles > 2*sending {
		t.Errorf("%d devices, %d doubles", len(next), doubles)
	}
	t.Logf("%d messages, %d of them twice", len(h.stored), doubles)
}
