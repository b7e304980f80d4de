package receiver

import (
	"context"
	"fmt"
	"sync"

	"edged"
	"edged/internal/conf"
	"edged/internal/topic"
)

// Remote are the settings of an external broker.
type Remote interface {
	Check(t *conf.Table, name, dataDir string)
}

// MQTT is the kind mqtt. Its sources are the embedded broker or, when the table has a broker key, an external one.
type MQTT struct {
	Topics []string `toml:"topics" doc:"topic filters to take in, MQTT wildcards allowed"`
	Remote Remote

	external bool
}

// Fields implements Config.
func (m *MQTT) Fields() []any { return []any{m, m.Remote} }

// Check implements Config.
func (m *MQTT) Check(t *conf.Table, env Env) {
	m.external = t.Has("broker")
	if len(m.Topics) == 0 {
		t.Errorf("topics", `[%s] needs topics, for example topics = ["site/#"]`, t.Title())
	}
	for _, f := range m.Topics {
		if err := topic.CheckFilter(f); err != nil {
			t.Itemf("topics", "topics: %q: %v", f, err)
		}
	}
	if m.external {
		m.Remote.Check(t, env.Name, env.DataDir)
		return
	}
	for _, key := range []string{"client_id", "username", "password_file", "tls", "qos", "retained"} {
		if t.Has(key) {
			t.Errorf(key, "%s is for an external broker; add broker = \"tcp://…\", or leave it out", key)
		}
	}
	if !env.Embedded {
		t.Errorf("type", `[%s] has no broker: add a [broker] table for the embedded one, or broker = "tcp://…"`, t.Title())
	}
}

// Covers implements Config.
func (m *MQTT) Covers() []string { return m.Topics }

// New implements Config.
func (m *MQTT) New(env Env) edged.Receiver {
	if m.external {
		return env.Dial(m.Remote, m.Topics)
	}
	return attach(env, m.Topics)
}

// embedded is a receiver from the embedded broker: it cannot fail.
type embedded struct {
	detach  func()
	to      edged.Handler // set before running is closed
	running chan struct{}
	once    sync.Once
}

// attach attaches the receiver when it is made and not when it runs: the broker acknowledges unstored what no receiver wants,
// and may begin to serve before the receiver's goroutine has been scheduled.
func attach(env Env, topics []string) *embedded {
	e := &embedded{running: make(chan struct{})}
	e.detach = env.Attach(topics, e)
	return e
}

// Take implements edged.Handler. What comes before Run waits for it.
func (e *embedded) Take(ctx context.Context, m *edged.Message, ack edged.Acker, token uint64) error {
	select {
	case <-e.running:
	default:
		select {
		case <-e.running:
		case <-ctx.Done():
			return fmt.Errorf("%w: the receiver does not run yet (%w)", edged.ErrFull, context.Cause(ctx))
		}
	}
	return e.to.Take(ctx, m, ack, token)
}

// TakeReady implements edged.BatchHandler.
func (e *embedded) TakeReady(ms []edged.Message, ack edged.Acker, first uint64) int {
	select {
	case <-e.running:
	default:
		return 0
	}
	if to, ok := e.to.(edged.BatchHandler); ok {
		return to.TakeReady(ms, ack, first)
	}
	return 0
}

// Run implements edged.Receiver.
func (e *embedded) Run(ctx context.Context, h edged.Handler) error {
	e.once.Do(func() {
		e.to = h
		close(e.running)
	})
	<-ctx.Done()
	e.detach()
	return nil
}
