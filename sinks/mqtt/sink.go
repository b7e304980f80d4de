package mqtt

import (
	"context"
	"errors"
	"fmt"

	"edged"
	"edged/sinks/spec"
	"edged/sinks/template"

	"github.com/VictoriaMetrics/metrics"
)

// sink implements edged.Sink. It has no receipt: what was acknowledged is done.
type sink struct {
	config    *Config
	env       spec.Env
	template  *template.Template
	publisher spec.Publisher // nil while it is closed
	halfway   halfway
	published *metrics.Counter
	connects  *metrics.Counter
}

// halfway is a delivery of which the first rows were acknowledged when the others failed. It comes again with the same key, which always
// stands for the same rows. A restart forgets it, and publishes all of them again.
type halfway struct {
	key  string
	rows int
}

func newSink(c *Config, env spec.Env) *sink {
	t := c.template
	if t == nil { // Check was not called
		t, _ = template.Parse(c.Topic)
	}
	counter := func(what string) *metrics.Counter {
		return env.Metrics.GetOrCreateCounter(fmt.Sprintf("edged_sink_mqtt_%s_total{sink=%q}", what, env.Name))
	}
	return &sink{config: c, env: env, template: t, published: counter("published"), connects: counter("connects")}
}

// Open connects.
func (s *sink) Open(ctx context.Context, _ []byte, _ []edged.Delivery) error {
	s.Close()
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.connect(ctx)
}

func (s *sink) connect(ctx context.Context) error {
	p, err := s.env.Dial(ctx, s.config.External())
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("%w; its rows wait in the store", err)
	}
	s.publisher = p
	s.connects.Inc()
	return nil
}

// Close ends the connection.
func (s *sink) Close() error {
	if s.publisher != nil {
		s.publisher.Close()
		s.publisher = nil
	}
	return nil
}

// Write publishes the turn, batch by batch, up to the first row that is not acknowledged. A connection that has ended while there was
// nothing to publish is made anew before.
func (s *sink) Write(ctx context.Context, turn []edged.Delivery) (done int, _ []byte, err error) {
	if err := ctx.Err(); err != nil {
		return 0, nil, err
	}
	if s.publisher == nil || !s.publisher.Ready() {
		s.Close()
		if err := s.connect(ctx); err != nil {
			return 0, nil, err
		}
	}
	for done < len(turn) {
		b := batch{s: s}
		refused := b.fill(turn[done:])
		n, err := s.publish(ctx, &b)
		done += n
		if err != nil {
			return done, nil, err
		}
		if refused != nil {
			return done, nil, refused
		}
	}
	return done, nil, nil
}

// publish publishes a batch, and returns how many of its deliveries are done.
func (s *sink) publish(ctx context.Context, b *batch) (done int, err error) {
	limited, cancel := context.WithTimeout(ctx, s.config.Timeout.D())
	defer cancel()
	acked, err := s.publisher.Publish(limited, b.messages)
	s.published.Add(acked)
	for done < len(b.ends) && b.ends[done] <= acked {
		done++
	}
	if done == len(b.ends) {
		s.halfway = halfway{}
		return done, err
	}
	if begun := b.begin(done); acked > begun {
		s.halfway = halfway{b.keys[done], b.skipped(done) + acked - begun}
	}
	switch {
	case ctx.Err() != nil:
		return done, ctx.Err()
	case err == nil: // it cannot be: not all were acknowledged
		err = errors.New("the broker's acknowledgements do not add up")
	case errors.Is(err, context.DeadlineExceeded) && limited.Err() != nil:
		err = s.unacknowledged(err)
	}
	return done, fmt.Errorf("%w; its rows wait in the store", err)
}

func (s *sink) unacknowledged(err error) error {
	remedy := "look at the broker and the link"
	if s.config.External() == nil {
		remedy = "what is published within the gateway waits like any publisher: see what else edged status says"
	}
	short := fmt.Sprintf("not acknowledged within %s", s.config.Timeout)
	return edged.Explain(fmt.Errorf("the broker has %s: %w", short, err), short, remedy)
}
