package gpio

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"edged/gpio/wave"
	"edged/internal/supervise"

	"github.com/VictoriaMetrics/metrics"
)

// pin is one configured pin: its loop, what it has seen, and its way out.
type pin struct {
	cfg     *PinConfig
	topic   string
	open    opener
	out     *outbox
	tally   *tally
	bounces *metrics.Counter

	part    supervise.Part
	partLog *slog.Logger
	log     *slog.Logger
	said    *said

	mu      sync.Mutex
	seq     uint64
	last    reading // the zero reading before the first
	bounced uint64
}

func newPin(cfg *Config, pc *PinConfig, open opener, publish Publish, log *slog.Logger, said *said, set *metrics.Set) *pin {
	counter := func(name string) *metrics.Counter {
		return set.GetOrCreateCounter(fmt.Sprintf("edged_gpio_%s_total{pin=%q}", name, pc.Name))
	}
	p := &pin{cfg: pc, topic: cfg.topicOf(pc), open: open, said: said, bounces: counter("bounces"), log: log.With("pin", pc.Name)}
	p.part.Name = "pin " + pc.Name
	p.partLog = slog.New(once{log.Handler(), pc.Name, said})
	p.tally = &tally{log: p.log, readings: counter("readings"), lost: counter("dropped")}
	enc := newEncoder(pc.Name, pc.Line)
	p.out = newOutbox(func(ctx context.Context, r *reading) error {
		return publish(ctx, p.topic, enc.encode(r), byte(cfg.QoS), pc.Retain)
	}, p.tally)
	return p
}

// run reads the line until ctx ends, the line fails (an error), or a simulated line is over.
func (p *pin) run(ctx context.Context) error {
	l, err := p.open(p.cfg)
	if err != nil {
		return err
	}
	defer l.Close()
	if p.cfg.Interval > 0 {
		err = p.sample(ctx, l)
	} else {
		err = p.watch(ctx, l)
	}
	if errors.Is(err, wave.ErrEnd) {
		p.log.Info("the simulated pin has ended: its wave does not repeat")
		return nil
	}
	return err
}

// read is the line's value after invert.
func (p *pin) read(l line, due time.Time) (float64, error) {
	v, err := l.Read(due)
	if err == nil && p.said.clear(p.cfg.Name) {
		p.log.Info("the line works again", "line", p.cfg.Line)
	}
	return p.logical(v), err
}

func (p *pin) logical(v float64) float64 {
	if p.cfg.Invert {
		return 1 - v
	}
	return v
}

// due gives a reading its number, and sends it off.
func (p *pin) due(value float64, e edge, at time.Time) {
	p.mu.Lock()
	p.seq++
	p.last = reading{p.seq, value, e, at}
	r := p.last
	p.mu.Unlock()
	p.out.put(r)
}

// missed counts readings that were due and not taken; they have numbers too.
func (p *pin) missed(n uint64) {
	p.mu.Lock()
	p.seq += n
	p.mu.Unlock()
	p.tally.dropped(n, errLate)
}
