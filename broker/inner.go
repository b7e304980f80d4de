package broker

import (
	"context"
	"errors"
	"sync"

	"edged"
	"edged/broker/intake"
)

// Inner is a publisher within the process that must know when its messages are durable. Each has room of its own for what is under way,
// so that one that publishes much holds up nobody else. It is used by one goroutine at a time.
type Inner struct {
	b    *Broker
	s    *intake.Session
	lane lane
}

// NewInner makes a publisher.
func (b *Broker) NewInner() *Inner { return &Inner{b: b, s: b.in.NewSession("")} }

// Publish takes messages in, in their order, as if a client had sent them, and returns when what became of them is known: with QoS 1 and
// 2 a message is done when it is durable, which is when a client would be acknowledged; with QoS 0 when it was taken in. done counts the
// first messages that are; err says what kept the next one off, and those behind it may be durable or not. Topics and payloads are the
// caller's again when it returns.
//
// It blocks under back-pressure, and for the commits, until ctx ends. An error of class Poison is about a message that no broker could
// take: its topic is none. edged.ErrStopped: the broker is stopping.
func (p *Inner) Publish(ctx context.Context, ms []edged.Message) (done int, err error) {
	outs := make([]outcome, len(ms))
	taken := 0
	for i := range ms {
		m, o := &ms[i], &outs[i]
		o.known = make(chan struct{})
		if err = p.b.publish(ctx, p.s, &p.lane, &message{topic: m.Topic, payload: m.Payload, qos: m.QoS, retain: m.Retain}, o); err != nil {
			break
		}
		if m.QoS == 0 {
			o.is(nil)
		}
		taken++
	}
	for ; done < taken; done++ {
		select {
		case <-outs[done].known:
			if failed := outs[done].err; failed != nil {
				return done, failed
			}
		case <-ctx.Done():
			return done, ctx.Err()
		}
	}
	if err != nil && ctx.Err() != nil {
		err = ctx.Err()
	}
	return done, err
}

// Ready reports that there is nothing to connect to.
func (p *Inner) Ready() bool { return true }

// Close ends the publisher. What was taken in is still stored, and delivered.
func (p *Inner) Close() { p.s.End() }

// outcome is what becomes of one message.
type outcome struct {
	once  sync.Once
	known chan struct{}
	err   error // valid when known is closed
}

func (o *outcome) is(err error) { o.once.Do(func() { o.err = err; close(o.known) }) }

// watch puts the outcome in front of what is to happen to the message when it is durable; inner is nil if nobody gets it.
func (o *outcome) watch(in *intake.Intake, inner intake.Delivery) intake.Delivery {
	return watched{o, in, inner}
}

// watched implements intake.Delivery.
type watched struct {
	o     *outcome
	in    *intake.Intake
	inner intake.Delivery
}

var errNotStored = errors.New("the store did not take a message that was published within the gateway")

// Begin implements intake.Delivery.
func (w watched) Begin(again bool) {
	if w.inner != nil {
		w.inner.Begin(again)
	}
}

// Deliver implements intake.Delivery.
func (w watched) Deliver(at edged.Pos, whole bool) {
	if w.inner != nil {
		w.inner.Deliver(at, whole)
	} else {
		w.in.Delivered(0)
	}
	if whole {
		w.o.is(nil)
	} else {
		w.o.is(errNotStored)
	}
}

// Abandon implements intake.Delivery.
func (w watched) Abandon() {
	if w.inner != nil {
		w.inner.Abandon()
	}
	w.o.is(errNotStored)
}
