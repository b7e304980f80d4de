package remote

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"edged"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// inbox holds the messages of one connection between their arrival and their acknowledgement, in order. It is the
// edged.Acker of them. When the connection has ended its acknowledgements go nowhere.
type inbox struct {
	r      *Receiver
	taking context.Context // ends when nothing more may be taken
	h      edged.Handler
	broken chan error // has the reason why the connection must end, so that the broker sends its messages again

	mu    sync.Mutex
	queue []entry
	first uint64        // token of queue[0]
	empty chan struct{} // closed when the queue is empty and acknowledged; nil if nobody waits
	busy  bool          // the acknowledging goroutine is sending

	wake  chan struct{} // has a token if something may be due
	quit  chan struct{} // closed by close
	ended chan struct{} // closed when the acknowledging goroutine has ended
}

type entry struct {
	m    mqtt.Message
	done bool
}

func newInbox(r *Receiver, taking context.Context, h edged.Handler) *inbox {
	in := &inbox{
		r: r, taking: taking, h: h, broken: make(chan error, 1),
		wake: make(chan struct{}, 1), quit: make(chan struct{}), ended: make(chan struct{}),
	}
	go in.acknowledge()
	return in
}

// close ends the acknowledging goroutine. Acked may still be called, and does nothing then.
func (in *inbox) close() {
	close(in.quit)
	<-in.ended
}

// message is called by paho for each message, one at a time. While it blocks nothing more is read: that is the
// back-pressure towards the broker.
func (in *inbox) message(_ mqtt.Client, m mqtt.Message) {
	switch {
	case in.taking.Err() != nil:
		return // it stays with the broker
	case m.Topic() == dropsTopic && !in.r.wants(dropsTopic):
		in.r.noteDrops(m.Payload())
		return
	case m.Retained() && in.r.cfg.Retained == "skip":
		in.r.skipped.Inc()
		in.add(m, true)
		return
	case !in.r.wants(m.Topic()):
		in.r.unwanted.Inc()
		in.add(m, true)
		return
	}
	if m.Duplicate() {
		in.r.redelivered.Inc()
	}
	x := edged.Message{Topic: m.Topic(), Payload: m.Payload(), QoS: m.Qos(), Retain: m.Retained()}
	if x.QoS == 2 {
		x.Origin = edged.Origin{Client: in.r.cfg.ClientID, PacketID: m.MessageID()}
	}
	if x.QoS == 0 {
		if err := in.h.Take(in.taking, &x, nil, 0); err != nil {
			in.r.failed.Inc()
		}
		return
	}
	err := in.h.Take(in.taking, &x, in, in.add(m, false))
	if err == nil {
		return
	}
	in.forget()
	if !errors.Is(err, edged.ErrStopped) && in.taking.Err() == nil {
		in.breakOff(fmt.Errorf("a message was not taken, the broker will send it again: %w", err))
	}
}

func (in *inbox) breakOff(err error) {
	select {
	case in.broken <- err:
	default:
	}
}

func (in *inbox) add(m mqtt.Message, done bool) (token uint64) {
	in.mu.Lock()
	in.queue = append(in.queue, entry{m, done})
	token = in.first + uint64(len(in.queue)) - 1
	in.mu.Unlock()
	if done {
		in.Flush()
	}
	return token
}

// forget takes the newest entry away, which was not taken.
func (in *inbox) forget() {
	in.mu.Lock()
	in.queue = in.queue[:len(in.queue)-1]
	in.mu.Unlock()
	in.Flush()
}

// Acked implements edged.Acker.
func (in *inbox) Acked(token uint64, _ edged.Pos, err error) {
	if err != nil {
		in.r.failed.Inc()
		in.breakOff(fmt.Errorf("a message could not be stored, the broker will send it again: %w", err))
		return
	}
	in.mu.Lock()
	in.queue[token-in.first].done = true
	in.mu.Unlock()
}

// Flush implements edged.Acker.
func (in *inbox) Flush() {
	select {
	case in.wake <- struct{}{}:
	default:
	}
}

// acknowledge sends what is due, in the order of arrival [MQTT-4.6.0-2]. Paho may block while it does.
func (in *inbox) acknowledge() {
	defer close(in.ended)
	for {
		select {
		case <-in.wake:
		case <-in.quit:
			return
		}
		for m := in.due(); m != nil; m = in.due() {
			m.Ack()
		}
	}
}

func (in *inbox) due() mqtt.Message {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.busy = len(in.queue) > 0 && in.queue[0].done; in.busy {
		m := in.queue[0].m
		in.queue[0] = entry{}
		in.queue = in.queue[1:]
		in.first++
		return m
	}
	if len(in.queue) == 0 && in.empty != nil {
		close(in.empty)
		in.empty = nil
	}
	return nil
}

// finish waits until everything that was taken is acknowledged, for at most d.
func (in *inbox) finish(d time.Duration) {
	in.mu.Lock()
	if len(in.queue) == 0 && !in.busy {
		in.mu.Unlock()
		return
	}
	empty := make(chan struct{})
	in.empty = empty
	in.mu.Unlock()
	in.Flush()
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-empty:
	case <-t.C:
		in.r.log.Warn(in.r.what + ": not everything was stored before the stop; the broker will send it again")
	}
}
