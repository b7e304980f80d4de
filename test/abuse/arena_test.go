package abuse

import (
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"edged/test/rawmqtt"
	"edged/test/strain"
)

// arena is what a behaviour has: connections that end with it, and a time.
type arena struct {
	*testing.T
	addr string
	mu   sync.Mutex
	open []*rawmqtt.Client
}

// behaviours runs each behaviour while well-behaved clients go on, and looks at the process afterwards.
func behaviours(t *testing.T, tg *target) {
	for _, b := range allBehaviours() {
		t.Run(b.name, func(t *testing.T) {
			a := &arena{T: t, addr: tg.addr}
			strained := strain.Watch(t, "")
			stop, most := watch(tg.addr), tg.most()
			b.do(a)
			a.leave()
			d, err := stop()
			kib, s := most(), strained()
			tg.during.note(d, t.Name())
			if err != nil || d > s.Excuse(tripMeanwhile) {
				t.Errorf("meanwhile a well-behaved client waited %v: %v; the test itself waited: %+v", d, err, s)
			}
			tg.check(t)
			if b.clear != nil {
				b.clear(a)
			}
			t.Logf("meanwhile the slowest round trip took %v, and memory went up to %d MiB", d, kib>>10)
		})
	}
}

type behaviour struct {
	name  string
	do    func(a *arena)
	clear func(a *arena) // takes back what the broker is meant to keep
}

func (a *arena) keep(w *rawmqtt.Client) *rawmqtt.Client {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.open = append(a.open, w)
	return w
}

// leave ends all connections, without a word.
func (a *arena) leave() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, w := range a.open {
		w.Drop()
	}
	a.open = nil
}

// bare opens a connection and sends nothing; nil if the broker does not take it, which is its right under abuse.
func (a *arena) bare() *rawmqtt.Client {
	c, err := net.DialTimeout("tcp", a.addr, brief)
	if err != nil {
		return nil
	}
	return a.keep(rawmqtt.Over(c, false))
}

// enter logs in, or fails the test and returns nil.
func (a *arena) enter(o rawmqtt.Connect) *rawmqtt.Client {
	w, _, err := rawmqtt.Reach(a.addr, o)
	if err != nil {
		a.Errorf("login of %s: %v", o.ID, err)
		return nil
	}
	return a.keep(w)
}

// try logs in; nil if it is refused.
func (a *arena) try(o rawmqtt.Connect) *rawmqtt.Client {
	w, _, err := rawmqtt.Reach(a.addr, o)
	if err != nil {
		return nil
	}
	return a.keep(w)
}

// crowd runs n abusers side by side, no more than 100 at a time busy.
func crowd(n int, do func(i int)) {
	var wg sync.WaitGroup
	room := make(chan struct{}, 100)
	for i := range n {
		room <- struct{}{}
		wg.Go(func() {
			do(i)
			<-room
		})
	}
	wg.Wait()
}

// duration is how long a flood lasts.
func duration() time.Duration { return some(100*time.Millisecond, 5*time.Second) }

// flood writes what next makes until the time is over or the broker ends it; it does not read.
func flood(w *rawmqtt.Client, d time.Duration, next func(i int) []byte) {
	if w == nil {
		return
	}
	_ = w.SetWriteDeadline(time.Now().Add(d))
	for i := 0; ; i++ {
		if _, err := w.Write(next(i)); err != nil {
			return
		}
	}
}

// drain reads and answers nothing until the connection ends, and counts packets of a kind.
func drain(w *rawmqtt.Client, kind byte, d time.Duration) (n int) {
	for end := time.Now().Add(d); w != nil; {
		f, err := w.TryRead(time.Until(end))
		if err != nil {
			return n
		}
		if f.Kind == kind {
			n++
		}
	}
	return n
}

func name(kind string, i int) string { return fmt.Sprint(kind, "-", i) }
