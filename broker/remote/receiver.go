package remote

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"edged"
	"edged/broker/seldom"
	"edged/internal/topic"

	"github.com/VictoriaMetrics/metrics"
	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// lastAcks is how long Run waits, after its context has ended, for the commits of what it took.
const lastAcks = 2 * time.Second

// askAfter is how long a connection must have lasted before the broker is asked for more than messages.
const askAfter = 5 * time.Second

// Memory remembers what a persistent session is subscribed to, so that topics that are no longer configured can be
// unsubscribed: the broker would go on sending them for ever.
type Memory interface {
	Topics(clientID string) []string
	Remember(clientID string, topics []string) error // durable when it returns
}

// Receiver takes messages from an external broker, with a persistent session.
type Receiver struct {
	link
	topics []string
	mem    Memory

	redelivered *metrics.Counter // with DUP: stored again
	skipped     *metrics.Counter // retained
	unwanted    *metrics.Counter // on topics that are not configured any more
	failed      *metrics.Counter // taken and not stored
	shy         atomic.Bool      // the broker was asked for its drops, and did not answer
}

// NewReceiver makes a receiver of the topics. cfg was checked.
func NewReceiver(cfg *Config, topics []string, mem Memory, log *slog.Logger, set *metrics.Set) edged.Receiver {
	name := cfg.name
	if name == "" {
		name = cfg.ClientID
	}
	c := func(metric string) *metrics.Counter {
		return set.GetOrCreateCounter(fmt.Sprintf("edged_receiver_%s_total{receiver=%q}", metric, name))
	}
	return &Receiver{
		link:   link{cfg: cfg, what: "receiver " + name, log: log, seldom: seldom.New(log), connects: c("connects")},
		topics: topics, mem: mem,
		redelivered: c("redeliveries"), skipped: c("retained_skipped"), unwanted: c("unwanted"), failed: c("not_stored"),
	}
}

// Run implements edged.Receiver. It is connected as long as it can be. Permanent errors: refused credentials, a refused
// subscription. When ctx ends it takes nothing more, waits a little for the commits of what it took and acknowledges it,
// and leaves the session at the broker.
func (r *Receiver) Run(ctx context.Context, h edged.Handler) error {
	return r.run(ctx, func(ctx context.Context, up func()) error { return r.serve(ctx, h, up) })
}

func (r *Receiver) serve(ctx context.Context, h edged.Handler, up func()) error {
	taking, stop := context.WithCancel(ctx)
	defer stop()
	in := newInbox(r, taking, h)
	defer in.close()
	k, err := r.cfg.connect(ctx, false, in.message)
	if err != nil {
		return err
	}
	defer k.close()
	defer stop() // before close, which waits for the message that is being taken
	if err := r.subscribe(ctx, k); err != nil {
		return err
	}
	up()
	ask := time.NewTimer(askAfter)
	defer ask.Stop()
	for {
		select {
		case err := <-k.lost:
			return fmt.Errorf("%w: %w", errLost, err)
		case err := <-in.broken:
			return err
		case <-ask.C:
			r.askForDrops(k)
		case <-ctx.Done():
			in.finish(lastAcks)
			return nil
		}
	}
}

// subscribe makes the session's subscriptions those that are configured. It subscribes on every connect, although the
// broker may know them: a broker that lost its disk may have the session and not the subscription.
func (r *Receiver) subscribe(ctx context.Context, k *connection) error {
	id := r.cfg.ClientID
	known := r.mem.Topics(id)
	stale := slices.DeleteFunc(slices.Clone(known), func(t string) bool { return slices.Contains(r.topics, t) })
	if all := slices.Concat(stale, r.topics); len(known) != len(all) {
		// Before anything is subscribed to, or a crash could leave a subscription that nobody knows of.
		if err := r.mem.Remember(id, all); err != nil {
			return err
		}
	}
	if len(stale) > 0 {
		if err := k.wait(ctx, k.client.Unsubscribe(stale...)); err != nil {
			return fmt.Errorf("unsubscribing %q: %w", stale, err)
		}
		r.log.Info(r.what+": unsubscribed from topics that are no longer configured", "topics", stale)
	}
	if err := r.subscribeAll(ctx, k); err != nil {
		return err
	}
	if len(stale) > 0 {
		return r.mem.Remember(id, r.topics)
	}
	return nil
}

func (r *Receiver) subscribeAll(ctx context.Context, k *connection) error {
	filters := map[string]byte{}
	for _, t := range r.topics {
		filters[t] = byte(r.cfg.QoS)
	}
	token := k.client.SubscribeMultiple(filters, nil).(*mqtt.SubscribeToken)
	if err := k.wait(ctx, token); err != nil {
		return fmt.Errorf("subscribing: %w", err)
	}
	for _, t := range r.topics {
		switch granted, ok := token.Result()[t]; {
		case !ok || granted > 2: // [3.1.1, 3.9.3]
			return edged.WithClass(fmt.Errorf("broker %s refuses the subscription to %q: let user %q of client %q read it there, or correct topics",
				r.cfg.Broker, t, r.cfg.Username, r.cfg.ClientID), edged.Permanent)
		case int(granted) < r.cfg.QoS:
			r.seldom.Warn("granted", r.what+": the broker grants less than the configured QoS", "topic", t, "qos", granted)
		}
	}
	return nil
}

// wants reports whether a topic is configured: the session may still have messages of topics that were.
func (r *Receiver) wants(name string) bool {
	return slices.ContainsFunc(r.topics, func(filter string) bool {
		if rest, shared := strings.CutPrefix(filter, "$share/"); shared {
			_, filter, _ = strings.Cut(rest, "/")
		}
		return topic.Match(filter, name)
	})
}
