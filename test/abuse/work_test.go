package abuse

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"edged/test/rawmqtt"
)

// times of acknowledgements, sorted.
type delays []time.Duration

func (d delays) at(percent int) time.Duration {
	if len(d) == 0 {
		return 0
	}
	return d[min(len(d)*percent/100, len(d)-1)]
}

// work has the publishers publish for a time, each at its pace whatever happens to its acknowledgements, and waits for
// those. Every second one is a client of MQTT 5, which minds the receive maximum.
func work(a *arena, d time.Duration) (sent int, acks delays) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	for i := range publishers {
		w := a.enter(rawmqtt.Connect{ID: name("work", i), V5: i%2 == 0})
		if w == nil {
			return 0, nil
		}
		wg.Go(func() {
			time.Sleep(time.Second / perSecond * time.Duration(i) / publishers)
			n, took, err := publishSteadily(w, fmt.Sprint("site/steady/", i), d)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				a.Errorf("publisher %d: %v", i, err)
			}
			sent, acks = sent+n, append(acks, took...)
		})
	}
	wg.Wait()
	slices.Sort(acks)
	return sent, acks
}

func publishSteadily(w *rawmqtt.Client, topic string, d time.Duration) (sent int, took delays, err error) {
	n := int(d/time.Second) * perSecond
	var mu sync.Mutex
	begun := make([]time.Time, n)
	window := make(chan struct{}, 256) // the receive maximum
	done := make(chan error, 1)
	go func() {
		for range n {
			f, err := w.TryRead(time.Minute)
			if err != nil || f.Kind != 0x40 || f.Code() >= 0x80 {
				done <- fmt.Errorf("want PUBACK, have %v: %w", f, err)
				return
			}
			k := int(binary.BigEndian.Uint16(f.Body)) - 1
			mu.Lock()
			took = append(took, time.Since(begun[k]))
			mu.Unlock()
			<-window
		}
		done <- nil
	}()
	tick := time.NewTicker(time.Second / perSecond)
	defer tick.Stop()
	for ; sent < n; sent++ {
		select {
		case err := <-done:
			return sent, took, err
		case <-tick.C:
		}
		select {
		case window <- struct{}{}:
		case err := <-done:
			return sent, took, err
		}
		mu.Lock()
		begun[sent] = time.Now()
		mu.Unlock()
		text := fmt.Sprint(sent, " ")
		m := rawmqtt.Publish{Topic: topic, Payload: text + strings.Repeat("x", payloadSize-len(text)), QoS: 1, ID: uint16(sent + 1)}
		if _, err := w.Write(m.Bytes(w.V5)); err != nil {
			return sent, took, err
		}
	}
	return sent, took, <-done
}
