package intake

import (
	"context"
	"errors"
	"sync/atomic"

	"edged/broker/seldom"

	"github.com/VictoriaMetrics/metrics"
)

// Limits bound what one session may have under way.
type Limits struct {
	// Inflight is the Receive Maximum of MQTT 5 connections: publishes with QoS > 0 that are not acknowledged.
	Inflight int
	// Pending bounds the same for 3.1.1 connections, which have no Receive Maximum, and everything else that waits for a
	// commit or for the socket to take its acknowledgement. Past it the publisher waits.
	Pending int
	// Bytes bounds the memory of one session's publishes that are kept for subscribers, or to be retained, until their commit.
	// One is always admitted.
	Bytes int64
	// Total bounds the memory of all publishes that are kept for subscribers, until they were delivered, or to be retained,
	// until that is durable.
	Total int64
}

// What Take says about a publish that was not taken. None of them was acknowledged.
var (
	// ErrReceiveMaximum: the client has more unacknowledged publishes than it was allowed (MQTT 5, 0x93).
	ErrReceiveMaximum = errors.New("more unacknowledged publishes than the Receive Maximum allows")
	// ErrNotInTime: it could not be taken before the publisher's time was up, and MQTT 3.1.1 has no way to say so but
	// to close the connection.
	ErrNotInTime = errors.New("it could not be taken in time")
	// ErrUnfinished: its client has begun too many publishes with QoS 2 that it does not finish.
	ErrUnfinished = errors.New("too many publishes with QoS 2 were begun and not finished")
	// ErrClosed: the connection has ended, or another one has taken over its session.
	ErrClosed = errors.New("the connection is no longer its session's")
)

// Intake is what all sessions share.
type Intake struct {
	limits Limits
	log    *seldom.Log

	ctx  context.Context // ends when nothing more may be taken
	stop context.CancelFunc

	draining atomic.Bool
	owed     atomic.Int64  // entries in lines, and acknowledgements that are due on a live connection
	idle     chan struct{} // has a token once owed has come to 0 while draining
	kept     budget
	numbers  atomic.Uint64 // of publishes with QoS 2 in sessions that are kept: the last one
	ids      atomic.Int64  // packet identifiers that all sessions remember

	received   [3]*metrics.Counter // by QoS
	duplicates *metrics.Counter
	acked      *metrics.Counter
	full       *metrics.Counter // refused: no room in time
	failed     *metrics.Counter // refused: the commit failed
	excess     *metrics.Counter // refused: Receive Maximum
	dropped    *metrics.Counter // QoS 0, and wills, which nobody can send again
}

// New makes an Intake.
func New(l Limits, log *seldom.Log, set *metrics.Set) *Intake {
	in := &Intake{limits: l, log: log, idle: make(chan struct{}, 1)}
	in.kept.max = l.Total
	in.ctx, in.stop = context.WithCancel(context.Background())
	for i, qos := range []string{"0", "1", "2"} {
		in.received[i] = set.GetOrCreateCounter(`edged_broker_messages_total{qos="` + qos + `"}`)
	}
	in.duplicates = set.GetOrCreateCounter(`edged_broker_duplicates_total`)
	in.acked = set.GetOrCreateCounter(`edged_broker_acks_total`)
	in.full = set.GetOrCreateCounter(`edged_broker_refused_total{reason="full"}`)
	in.failed = set.GetOrCreateCounter(`edged_broker_refused_total{reason="commit_failed"}`)
	in.excess = set.GetOrCreateCounter(`edged_broker_refused_total{reason="receive_maximum"}`)
	in.dropped = set.GetOrCreateCounter(`edged_broker_dropped_total{reason="receiver"}`)
	return in
}

// Pending is the number of publishes that were taken and whose acknowledgement no socket has.
func (in *Intake) Pending() int64 { return in.owed.Load() }

// Received is the number of publishes that were offered, repeats included.
func (in *Intake) Received() uint64 {
	return in.received[0].Get() + in.received[1].Get() + in.received[2].Get()
}

// Duplicates is the number of publishes that were known and not stored again.
func (in *Intake) Duplicates() uint64 { return in.duplicates.Get() }

// Refused is the number of publishes with QoS > 0 that were not acknowledged, or acknowledged with an error.
func (in *Intake) Refused() uint64 { return in.full.Get() + in.failed.Get() + in.excess.Get() }

// Dropped is the number of publishes that a receiver could not take and that nobody will send again.
func (in *Intake) Dropped() uint64 { return in.dropped.Get() }

// Stop ends the intake at once: every Take under way returns, and no further one takes anything. Acknowledgements of what
// was taken still become due.
func (in *Intake) Stop() {
	in.draining.Store(true)
	in.stop()
}

// Stopping reports whether Stop was called.
func (in *Intake) Stopping() bool { return in.draining.Load() }

// Stopped is closed by Stop.
func (in *Intake) Stopped() <-chan struct{} { return in.ctx.Done() }

// Drain stops the intake and waits until every acknowledgement was handed to its socket, or ctx ends.
func (in *Intake) Drain(ctx context.Context) error {
	in.Stop()
	for in.owed.Load() > 0 {
		select {
		case <-in.idle:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// Delivered gives back what a Delivery of a publish that keeps n bytes took.
func (in *Intake) Delivered(n int) { in.kept.give(int64(kept(n))) }

func (in *Intake) owe() { in.owed.Add(1) }

func (in *Intake) settled(n int) {
	if n > 0 && in.owed.Add(-int64(n)) == 0 && in.draining.Load() {
		select {
		case in.idle <- struct{}{}:
		default:
		}
	}
}
