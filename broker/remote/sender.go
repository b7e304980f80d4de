package remote

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"

	"edged"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

const (
	// sending is the number of publishes with QoS 0 and 1 that are under way. Some services end the connection of a client with more than
	// a hundred (AWS IoT Core, quotas).
	sending = 100
	// sending2 is the same for QoS 2, which Mosquitto counts against max_inflight_messages, 20 if nothing is said.
	sending2 = 20
)

// Sender publishes on one connection, for somebody who keeps what is not acknowledged: it has no buffer, drops nothing and sends nothing
// again by itself. When the connection has ended the sender is of no further use, and what was under way is published again on the next
// one. It is used by one goroutine at a time.
//
// The session is a clean one, and the client of paho that holds it knows of no connection before: nothing that paho or the broker remember
// of an earlier connection can come in between, or be taken for an acknowledgement of this one.
type Sender struct {
	a   *Access
	k   *connection
	fed sync.WaitGroup // goroutines that hand publishes to paho
	bad error          // why it is of no further use
}

// Dial connects. a was checked. A permanent error needs somebody to correct the configuration, or the broker's.
func Dial(ctx context.Context, a *Access) (*Sender, error) {
	k, err := a.connect(ctx, true, func(mqtt.Client, mqtt.Message) {})
	if ctx.Err() != nil {
		if err == nil {
			k.close()
		}
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, a.unreached(err)
	}
	return &Sender{a: a, k: k}, nil
}

// Ready reports whether the connection still stands.
func (s *Sender) Ready() bool {
	select {
	case err := <-s.k.lost:
		s.fail(s.a.lost(err))
	default:
	}
	return s.bad == nil && s.k.client.IsConnectionOpen()
}

// Close ends the connection.
func (s *Sender) Close() { s.k.close() }

func (s *Sender) fail(err error) {
	if s.bad == nil {
		s.bad = err
	}
}

// Publish publishes messages in their order, many at a time, and returns when the broker has acknowledged all of them (PUBACK, PUBCOMP;
// with QoS 0, when they were sent), when the connection has ended, when nothing was acknowledged for half a minute, or when ctx ends. done
// counts the first messages that are acknowledged; those behind them may have arrived. Payloads may be read a little longer when it
// returns with an error. After an error the sender is of no further use.
func (s *Sender) Publish(ctx context.Context, ms []edged.Message) (done int, err error) {
	if !s.Ready() {
		s.fail(s.a.lost(mqtt.ErrNotConnected))
		return 0, s.bad
	}
	feeding, stop := context.WithCancel(ctx)
	defer stop()
	tokens := s.feed(feeding, ms)
	for ; done < len(ms); done++ {
		if err := s.await(ctx, tokens); err != nil {
			s.fail(err)
			return done, err
		}
	}
	return done, nil
}

// feed hands the messages to paho, on a goroutine of its own: paho takes one whatever the context says, until its write timeout. The tokens
// come in the order of the messages, and bound what is under way.
func (s *Sender) feed(ctx context.Context, ms []edged.Message) <-chan mqtt.Token {
	n := sending
	if len(ms) > 0 && ms[0].QoS == 2 {
		n = sending2
	}
	tokens := make(chan mqtt.Token, n-2) // one more is with the reader, one with the writer
	s.fed.Add(1)
	go func() {
		defer s.fed.Done()
		for i := range ms {
			m := &ms[i]
			token := s.k.client.Publish(m.Topic, m.QoS, m.Retain, m.Payload)
			select {
			case tokens <- token:
			case <-ctx.Done():
				return
			}
		}
	}()
	return tokens
}

// await waits for the acknowledgement of the next message.
func (s *Sender) await(ctx context.Context, tokens <-chan mqtt.Token) error {
	t := time.NewTimer(answerTimeout)
	defer t.Stop()
	var acked <-chan struct{}
	var token mqtt.Token
	for {
		select {
		case token = <-tokens:
			tokens, acked = nil, token.Done()
		case <-acked:
			if err := token.Error(); err != nil {
				return s.a.lost(s.why(err))
			}
			return nil
		case err := <-s.k.lost:
			if token != nil && arrived(token) { // both came at once
				s.k.lost <- err
				return nil
			}
			return s.a.lost(err)
		case <-t.C:
			err := fmt.Errorf("broker %s acknowledges nothing: %w", s.a.Broker, os.ErrDeadlineExceeded)
			return edged.Explain(err, "it acknowledges nothing", "look at the broker")
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// why prefers the cause of the connection's end to what paho says of a message.
func (s *Sender) why(err error) error {
	select {
	case lost := <-s.k.lost:
		return lost
	case <-time.After(time.Second): // paho says it a moment later
		return err
	}
}

func arrived(token mqtt.Token) bool {
	select {
	case <-token.Done():
		return token.Error() == nil
	default:
		return false
	}
}

// lost is the error for a connection that has ended.
func (a *Access) lost(err error) error {
	err = fmt.Errorf("broker %s: %w: %w", a.Broker, errLost, err)
	return edged.Explain(err, "the connection was lost", "look at the broker and the link")
}
