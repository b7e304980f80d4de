package file

import "context"

// worker does one piece of work in a goroutine of its own, again each time it is poked, never twice at a time. The
// goroutine runs from the first poke to stop.
type worker struct {
	work   func(context.Context)
	again  chan struct{}
	cancel context.CancelFunc
	done   chan struct{}
}

func newWorker(work func(context.Context)) *worker {
	return &worker{work: work, again: make(chan struct{}, 1)}
}

// poke asks for the work to be done once more. It does not wait.
func (w *worker) poke() {
	if w.cancel == nil {
		var ctx context.Context
		ctx, w.cancel = context.WithCancel(context.Background())
		w.done = make(chan struct{})
		go w.run(ctx)
	}
	select {
	case w.again <- struct{}{}:
	default: // it is asked for already
	}
}

// stop ends the work and waits for its goroutine. A poke after it begins anew.
func (w *worker) stop() {
	if w.cancel != nil {
		w.cancel()
		<-w.done
		w.cancel = nil
	}
}

func (w *worker) run(ctx context.Context) {
	defer close(w.done)
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-w.again:
			w.work(ctx)
		}
	}
}
