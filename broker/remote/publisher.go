package remote

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"edged"
	"edged/broker/seldom"

	"github.com/VictoriaMetrics/metrics"
	mqtt "github.com/eclipse/paho.mqtt.golang"
)

const (
	// maxBuffered and maxBufferedBytes bound what waits for the broker.
	maxBuffered      = 1000
	maxBufferedBytes = 1 << 20
	// maxUnacked is the number of publishes that are sent without waiting for an acknowledgement.
	maxUnacked = 20
	// lastSends is how long Run tries to send what waits, after its context has ended.
	lastSends = 2 * time.Second
)

// Publisher publishes to an external broker. While it is away up to 1,000 messages, or 1 MiB, wait for it; past that the
// oldest are dropped and counted, so what arrives in the end is the newest, with a gap in its sequence numbers.
//
// A message with QoS 1 or 2 stays in the buffer until the broker has acknowledged it on the connection on which it was
// sent, and is sent again on the next one: at least once. Messages keep their order.
type Publisher struct {
	link

	mu     sync.Mutex
	queue  []letter
	sent   int // of queue, on the connection in use
	bytes  int
	online bool
	closed bool
	more   chan struct{} // has a token if something was added
	room   chan struct{} // closed when something was removed; nil if nobody waits

	taken, published, dropped *metrics.Counter
}

type letter struct {
	topic   string
	payload []byte
	qos     byte
	retain  bool
	token   mqtt.Token // of the connection in use, once it is sent
}

// NewPublisher makes a publisher. cfg was checked; its QoS and Retained are not used. It connects when Run is called.
func NewPublisher(cfg *Config, log *slog.Logger, set *metrics.Set) *Publisher {
	p := &Publisher{
		link: link{
			cfg: cfg, what: "publisher", log: log, seldom: seldom.New(log),
			connects: set.GetOrCreateCounter(`edged_publisher_connects_total`),
		},
		more:      make(chan struct{}, 1),
		taken:     set.GetOrCreateCounter(`edged_publisher_taken_total`),
		published: set.GetOrCreateCounter(`edged_publisher_published_total`),
		dropped:   set.GetOrCreateCounter(`edged_publisher_dropped_total`),
	}
	set.GetOrCreateGauge(`edged_publisher_buffered`, func() float64 { p.mu.Lock(); defer p.mu.Unlock(); return float64(len(p.queue)) })
	return p
}

// Publish puts a message into the buffer; payload is the caller's again when it returns. While the broker is connected it
// waits for room until ctx ends; while it is away it makes room by dropping the oldest. An error: it was not taken, and the
// caller counts it. edged.ErrStopped: Run has ended.
func (p *Publisher) Publish(ctx context.Context, topic string, payload []byte, qos byte, retain bool) error {
	if len(payload) > maxBufferedBytes {
		return fmt.Errorf("publisher: a message of %d bytes is larger than the buffer", len(payload))
	}
	l := letter{topic: topic, payload: bytes.Clone(payload), qos: qos, retain: retain}
	for {
		room, err := p.put(l)
		if room == nil {
			return err
		}
		select {
		case <-room:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// put adds l, or returns a channel to wait for.
func (p *Publisher) put(l letter) (room <-chan struct{}, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, edged.ErrStopped
	}
	for len(p.queue) >= maxBuffered || p.bytes+len(l.payload) > maxBufferedBytes {
		if p.online {
			if p.room == nil {
				p.room = make(chan struct{})
			}
			return p.room, nil
		}
		p.dropped.Inc()
		p.seldom.Warn("dropped", "publisher: the oldest messages are dropped, the broker is away for too long", "broker", p.cfg.Broker)
		p.pop()
	}
	p.taken.Inc()
	p.queue = append(p.queue, l)
	p.bytes += len(l.payload)
	select {
	case p.more <- struct{}{}:
	default:
	}
	return nil, nil
}

// pop takes the oldest message away. It is called with the lock.
func (p *Publisher) pop() {
	p.bytes -= len(p.queue[0].payload)
	p.queue[0] = letter{}
	p.queue = p.queue[1:]
	p.sent = max(0, p.sent-1)
	if p.room != nil {
		close(p.room)
		p.room = nil
	}
}

// Run publishes until ctx ends, and then for a little longer, so that what waits can leave. Refused credentials are a
// permanent error.
func (p *Publisher) Run(ctx context.Context) error {
	p.mu.Lock()
	p.closed = false
	p.mu.Unlock()
	defer p.giveUp()
	return p.run(ctx, p.serve)
}

// giveUp empties the buffer.
func (p *Publisher) giveUp() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	if left := len(p.queue); left > 0 {
		p.log.Warn("publisher: messages were not published before the stop", "messages", left, "broker", p.cfg.Broker)
	}
	for len(p.queue) > 0 {
		p.dropped.Inc()
		p.pop()
	}
}

func (p *Publisher) serve(ctx context.Context, up func()) error {
	k, err := p.cfg.connect(ctx, true, func(mqtt.Client, mqtt.Message) {})
	if err != nil {
		return err
	}
	defer k.close()
	p.begin(true)
	defer p.begin(false)
	up()
	end := context.WithoutCancel(ctx)
	stopping := ctx.Done()
	for {
		if p.send(k) && ctx.Err() != nil {
			return nil
		}
		select {
		case err := <-k.lost:
			return fmt.Errorf("%w: %w", errLost, err)
		case <-p.more:
		case <-p.acknowledged():
			if err := p.settle(); err != nil {
				return err
			}
		case <-stopping:
			stopping = nil
			var cancel context.CancelFunc
			end, cancel = context.WithTimeout(end, lastSends)
			defer cancel()
		case <-end.Done():
			return nil
		}
	}
}

// begin says that a connection begins or has ended: nothing is sent on it yet.
func (p *Publisher) begin(online bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.online, p.sent = online, 0
	for i := range p.queue {
		p.queue[i].token = nil
	}
	if p.room != nil { // whoever waits must look again
		close(p.room)
		p.room = nil
	}
}

// send sends what may be sent, and reports whether nothing is left.
func (p *Publisher) send(k *connection) (idle bool) {
	for {
		p.mu.Lock()
		if p.sent == len(p.queue) || p.sent == maxUnacked {
			defer p.mu.Unlock()
			return len(p.queue) == 0
		}
		l := &p.queue[p.sent]
		topic, payload, qos, retain := l.topic, l.payload, l.qos, l.retain
		p.mu.Unlock()
		token := k.client.Publish(topic, qos, retain, payload) // returns when paho's writer has it, or the connection has ended
		p.mu.Lock()
		p.queue[p.sent].token = token // nobody removes messages while a connection is in use but this goroutine
		p.sent++
		p.mu.Unlock()
	}
}

// acknowledged is closed when the oldest message that was sent is acknowledged.
func (p *Publisher) acknowledged() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.sent == 0 {
		return nil
	}
	return p.queue[0].token.Done()
}

// settle removes it. If it failed it is sent again, on the next connection.
func (p *Publisher) settle() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.queue[0].token.Error(); err != nil {
		return fmt.Errorf("publishing: %w", err)
	}
	p.published.Inc()
	p.pop()
	return nil
}
