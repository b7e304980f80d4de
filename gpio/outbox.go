package gpio

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"edged/internal/supervise"
)

// The bounds of an outbox.
const (
	maxWaiting = 1000
	maxAge     = time.Minute
)

var (
	errFull  = errors.New("the broker takes readings more slowly than they come")
	errStale = errors.New("the broker took no reading for a minute")
)

// outbox holds the readings of one pin that wait for the broker. When it is full the oldest goes: what a pin is now says
// more than what it was.
type outbox struct {
	send func(ctx context.Context, r *reading) error
	tell *tally
	wake chan struct{} // holds one token

	mu     sync.Mutex
	ring   [maxWaiting]reading
	head   int
	n      int
	closed bool

	now reading // the one being sent; run's own
}

func newOutbox(send func(context.Context, *reading) error, tell *tally) *outbox {
	return &outbox{send: send, tell: tell, wake: make(chan struct{}, 1)}
}

// put never blocks.
func (o *outbox) put(r reading) {
	o.mu.Lock()
	full := o.n == maxWaiting
	if full {
		o.head, o.n = (o.head+1)%maxWaiting, o.n-1
	}
	o.ring[(o.head+o.n)%maxWaiting] = r
	o.n++
	o.mu.Unlock()
	if full {
		o.tell.dropped(1, errFull)
	}
	o.poke()
}

// close says that nothing more will be put; run ends when what waits is gone.
func (o *outbox) close() {
	o.mu.Lock()
	o.closed = true
	o.mu.Unlock()
	o.poke()
}

func (o *outbox) poke() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// take moves the oldest reading to o.now. ok is false if there is none, done if there will be none.
func (o *outbox) take() (ok, done bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.n == 0 {
		return false, o.closed
	}
	o.now = o.ring[o.head]
	o.head, o.n = (o.head+1)%maxWaiting, o.n-1
	return true, false
}

// run sends what is put until close was called and the outbox is empty. When ctx ends what waits is dropped.
func (o *outbox) run(ctx context.Context) {
	defer o.tell.end()
	for {
		ok, done := o.take()
		switch {
		case done:
			return
		case !ok:
			<-o.wake // close wakes too, and ctx does not end before it
		case ctx.Err() != nil:
			o.tell.dropped(1, errors.New("edged was stopped"))
		case time.Since(o.now.at) > maxAge:
			o.tell.dropped(1, errStale)
		default:
			if err := o.sendNow(ctx); err != nil {
				o.tell.dropped(1, err)
			} else {
				o.tell.delivered()
			}
		}
	}
}

// sendNow makes an error of a panic: it costs one reading, not the gateway.
func (o *outbox) sendNow(ctx context.Context) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("publishing: %w", &supervise.Panicked{Value: v, Stack: debug.Stack()})
		}
	}()
	return o.send(ctx, &o.now)
}
