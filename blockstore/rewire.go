package blockstore

import (
	"context"
	"slices"

	"edged"
)

// Wiring is who takes part in commits: receivers give blocks, riders come along, the router counts.
type Wiring struct {
	Sources []SourceOf
	Riders  []edged.Rider
	Router  edged.Router
	Cursors []string // see Expect
}

// SourceOf is a receiver's source; its name is the blocks' receiver.
type SourceOf struct {
	Name   string
	Level  Level
	Source edged.Source
}

// rewiring waits for the committer.
type rewiring struct {
	Wiring
	done chan error
}

// Rewire replaces everything that takes part in commits, at once, between two of them: what is in the log before was counted by the
// old router, and a tick says so; what comes behind is counted by the new one. It returns when that is done: from then on no
// rider that was left out is asked. A source that is left out, or replaced by another of its name, must have stopped: what it still
// holds is not stored. One call at a time, while Run runs. The error is ctx's, and then it may still be done; or what ended the store.
func (s *Store) Rewire(ctx context.Context, w Wiring) error {
	r := &rewiring{w, make(chan error, 1)}
	s.mu.Lock()
	err := s.fatal
	if err == nil {
		s.rewiring = r
	}
	s.mu.Unlock()
	if err != nil {
		return err
	}
	s.pace.poke(&s.pace.soon)
	select {
	case err := <-r.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// rewires reports whether somebody waits for Rewire.
func (s *Store) rewires() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rewiring != nil
}

// rewire is the committer's part, between two commits. As long as no tick says what the blocks before it were counted as, it waits
// for the next commit.
func (s *Store) rewire() {
	if s.untold {
		return
	}
	s.mu.Lock()
	r := s.rewiring
	s.rewiring = nil
	s.mu.Unlock()
	if r == nil {
		return
	}
	sources := make([]*source, len(r.Sources))
	for i, src := range r.Sources {
		sources[i] = &source{src.Name, src.Level, src.Source}
	}
	for _, old := range s.sources {
		if !slices.ContainsFunc(sources, func(n *source) bool { return n.name == old.name && n.Source == old.Source }) {
			s.leave(old)
		}
	}
	for _, n := range sources {
		s.totals.receiver(n.name)
	}
	s.sources, s.riders = sources, r.Riders
	s.Expect(r.Cursors)
	s.SetRouter(r.Router)
	r.done <- nil
}

// leave lets a source go: what it refused last is counted, and what one of its name refuses later comes on top.
func (s *Store) leave(old *source) {
	h := old.Cut(0)
	i := s.totals.receiver(old.name)
	s.totals.base[i] += h.Rejected
	s.totals.receivers[i].Rejected = s.totals.base[i]
	for j := range s.retryCuts {
		if s.retryCuts[j].name == old.name {
			s.retryCuts[j].Rejected = 0
		}
	}
}

// dropRewiring answers who waits for a committer that has ended. s.mu is held.
func (s *Store) dropRewiring(err error) {
	if s.rewiring != nil {
		s.rewiring.done <- err
		s.rewiring = nil
	}
}
