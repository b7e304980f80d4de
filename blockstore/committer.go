package blockstore

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"time"

	"edged"

	"go.etcd.io/bbolt"
)

// Run is the committer: the one goroutine that writes. It returns when ctx has ended and everything that waited by then is
// committed, or with the error of a commit that failed for another reason than a lack of space: after that nothing is
// acknowledged any more, and the process should end, because the file's state on disk is unknown until it is opened
// again.
func (s *Store) Run(ctx context.Context) error {
	defer s.teller.begin()()
	defer s.refuseWaiting()
	for {
		early, ok := s.pace.wait(ctx)
		letOthersRun()
		if err := s.commitRound(early); err != nil {
			return err
		}
		s.rewire()
		if !ok {
			return s.drain()
		}
	}
}

// letOthersRun lets everybody who is ready go on before a commit cuts the blocks: what comes at this moment is in it, and not in one of its own behind it. A second
// and a third time, for those whom the first have woken. Where nobody is ready it takes a microsecond.
func letOthersRun() {
	for range 3 {
		runtime.Gosched()
	}
}

// drain commits what is left when the gateway stops: sources were stopped before, so that this ends. What the disk has no
// room for is refused, and stays with its publishers.
func (s *Store) drain() error {
	s.draining = true
	for range 3 {
		if err := s.commitRound(false); err != nil {
			return err
		}
	}
	return nil
}

// Flush commits everything that waits in the sources and in the queue now, and returns when it is durable.
func (s *Store) Flush(ctx context.Context) error {
	return s.wait(ctx, &edged.Update{}, true, true)
}

// Commit submits an update and waits until it is durable. An error means that nothing of it is, except ctx's own error:
// then it may become so later. soon asks for a commit as soon as the disk is idle, instead of at the cadence.
func (s *Store) Commit(ctx context.Context, u *edged.Update, soon bool) error {
	return s.wait(ctx, u, soon, false)
}

func (s *Store) wait(ctx context.Context, u *edged.Update, soon, all bool) error {
	ch := make(chan error, 1)
	s.submit(pending{u: u, all: all, done: func(err error) { ch <- err }}, soon)
	select {
	case err := <-ch:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Submit hands over an update and returns at once; done is called from another goroutine when it is durable, or with what keeps it
// from being so. It must not block. What the file cannot hold is refused with ErrFull, however much room there is.
func (s *Store) Submit(u *edged.Update, soon bool, done func(error)) {
	s.submit(pending{u: u, done: done}, soon)
}

func (s *Store) submit(p pending, soon bool) {
	s.mu.Lock()
	err := cmp.Or(s.fatal, tooLong(p.u))
	if err == nil {
		s.queue = append(s.queue, p)
	}
	s.mu.Unlock()
	if err != nil {
		go p.done(err)
		return
	}
	if soon || s.pace.eager || s.pace.hasty.Load() {
		s.pace.poke(&s.pace.soon)
	}
}

// Hasten ends the pace: from now on whoever waits is served at once, without a budget. It is for the stop of the gateway, which has to wait
// for several commits one after the other. It may be called at any time, by any goroutine.
func (s *Store) Hasten() {
	s.pace.hasty.Store(true)
	s.pace.poke(&s.pace.soon)
}

// tooLong says what of an update the file cannot hold: clients choose some of the keys.
func tooLong(u *edged.Update) error {
	for _, p := range u.Puts {
		if len(p.Key) > bbolt.MaxKeySize {
			return fmt.Errorf("%w for a key of %d bytes in %s: at most %d can be stored", edged.ErrFull, len(p.Key), p.Space, bbolt.MaxKeySize)
		}
	}
	return nil
}

// takeQueue takes what waits; without all not what wants a round that takes everything: it came when this one was under way.
func (s *Store) takeQueue(all bool) (taken []pending) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if all {
		taken, s.queue = s.queue, nil
		return taken
	}
	q := s.queue
	s.queue = nil
	for _, p := range q {
		if p.all {
			s.queue = append(s.queue, p)
		} else {
			taken = append(taken, p)
		}
	}
	return taken
}

// refuseWaiting answers what reached the queue after the last round.
func (s *Store) refuseWaiting() {
	s.mu.Lock()
	if s.fatal == nil {
		s.fatal = ErrClosed
	}
	err := s.fatal
	q := s.queue
	s.queue = nil
	s.dropRewiring(err)
	s.mu.Unlock()
	f := finished{err: err, parcels: s.retry}
	for _, p := range q {
		f.updates = append(f.updates, p.done)
	}
	s.retry = nil
	s.teller.tell(f)
}

// fail ends the store: what the round held, and everything after it, is told why.
func (s *Store) fail(err error, f finished) error {
	err = fmt.Errorf("the store %s could not be written: %w; nothing is acknowledged any more; the next start reads what is on disk", s.path, err)
	s.mu.Lock()
	s.fatal = err
	s.mu.Unlock()
	f.err = err
	s.teller.tell(f)
	return err
}

func (s *Store) mark(commit bool) {
	now := time.Now()
	s.meter.note(now, s.meter.sample)
	s.mu.Lock()
	s.round.LastRound = now
	s.round.CommitFrom = time.Time{}
	if commit {
		s.round.CommitFrom = now
	}
	s.mu.Unlock()
}
