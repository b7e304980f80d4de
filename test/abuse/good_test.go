package abuse

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"edged/test/rawmqtt"
)

// good is a well-behaved client. It subscribes to a topic of its own, which the gateway stores.
type good struct {
	*rawmqtt.Client
	topic string
	n     int
}

var goodOnes atomic.Int64

func newGood(addr string, v5 bool) (*good, error) {
	id := fmt.Sprint("good-", goodOnes.Add(1))
	w, _, err := rawmqtt.Reach(addr, rawmqtt.Connect{ID: id, V5: v5})
	if err != nil {
		return nil, err
	}
	g := &good{Client: w, topic: "site/good/" + id}
	if err := g.Ask(1, g.topic, 1); err != nil {
		w.Drop()
		return nil, err
	}
	return g, nil
}

// trip publishes with QoS 1, and returns the time until the publish is acknowledged and has come back.
func (g *good) trip() (time.Duration, error) {
	begin := time.Now()
	g.n++
	id, payload := uint16(g.n%1000+1), fmt.Sprint(g.n)
	_ = g.SetWriteDeadline(begin.Add(rawmqtt.Patience))
	if _, err := g.Write(rawmqtt.Publish{Topic: g.topic, Payload: payload, QoS: 1, ID: id}.Bytes(g.V5)); err != nil {
		return 0, err
	}
	for acked, came := false, false; !acked || !came; {
		f, err := g.TryRead(rawmqtt.Patience)
		if err != nil {
			return time.Since(begin), fmt.Errorf("acknowledged %v, came back %v: %w", acked, came, err)
		}
		m, ok := f.Message()
		switch {
		case f.Kind == 0x40 && f.ID() == id && f.Code() < 0x80 && !acked:
			acked = true
		case ok && m.Topic == g.topic && m.Payload == payload && m.QoS == 1 && !came:
			came = true
			if _, err := g.Write(rawmqtt.Ack(0x40, m.ID)); err != nil {
				return 0, err
			}
		default:
			return 0, fmt.Errorf("unexpected packet %v", f)
		}
	}
	return time.Since(begin), nil
}

// watch has well-behaved clients make round trips until stop is called, which says how long the slowest took.
func watch(addr string) (stop func() (time.Duration, error)) {
	done, out := make(chan struct{}), make(chan error, 1)
	var worst time.Duration
	go func() {
		g, err := newGood(addr, true)
		for n := 0; err == nil; n++ {
			var d time.Duration
			d, err = g.trip()
			worst = max(worst, d)
			select {
			case <-done:
				g.Drop()
				out <- err
				return
			case <-time.After(10 * time.Millisecond):
			}
			if err == nil && n%10 == 9 {
				g.Drop()
				g, err = newGood(addr, n%20 == 9)
			}
		}
		<-done
		out <- errors.Join(errors.New("no round trip during the abuse"), err)
	}()
	return func() (time.Duration, error) {
		close(done)
		err := <-out
		return worst, err
	}
}
