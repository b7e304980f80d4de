package batches

import (
	"bytes"
	"context"
	"edged/batches/expression"
	"time"

	"edged"
)

// open puts the stream where the store says it was: at its cursor, with the windows of its last checkpoint and of the log
// since then. A stream that the store does not know begins; one whose definition has changed changes over.
func (s *Stream) open(ctx context.Context) error {
	defs, err := loadDefinitions(s.o.Store, s.name)
	s.out = output{}
	if s.o.Config.Late != "" {
		side := newLateLog(s.o.Store, s.o.Config)
		s.out.tooLate = &lateRows{sideRows: sideRows{log: side.name}, side: side}
	}
	if err := s.openSides(ctx); err != nil {
		return err
	}
	c, known := s.o.Store.Cursor(edged.StreamCursor(s.name))
	switch {
	case !known, c.Lost && defs == nil && err == nil:
		return s.begin(ctx, c.Lost)
	case defs == nil:
		s.o.Log.Error("what the store knows of the stream's definition cannot be read: it counts as unchanged", "stream", s.name, "error", err)
		defs = s.assumed()
	}
	if err := s.resume(c, defs); err != nil {
		return err
	}
	s.mu.Lock()
	s.defs = *defs
	s.mu.Unlock()
	if s.o.Anew || !s.counted() {
		s.rebase()
	}
	if defs.Current != s.o.Plan.Definition {
		return s.changeOver(ctx, defs)
	}
	if err := s.restore(s.o.Plan); err != nil {
		return err
	}
	s.show(false)
	s.mu.Lock()
	s.shown = s.rec
	s.dirty = c.Lost || !bytes.Equal(s.rec.append(nil), c.Data) // found again: to be committed with what comes next
	s.mu.Unlock()
	return nil
}

// use makes p the plan, with empty windows.
func (s *Stream) use(p *Plan) {
	s.p, s.r, s.wm, s.st = p, newRowReader(p), newWatermark(p), newState(p, &s.out)
	s.r.mem, s.r.table, s.held = newMemory(p), newTable(p), newHeld(p)
	s.out.p, s.out.eval = p, expression.NewEvaluator()
	s.saved, s.since = time.Now(), 0
}

// begin starts a stream that the store does not know, or of which everything was lost.
func (s *Stream) begin(ctx context.Context, lost bool) error {
	s.use(s.o.Plan)
	s.rec = record{}
	if lost {
		s.rec.life = newLife()
	}
	s.rebase()
	born := max(s.rec.born, s.o.Store.End())
	s.rec.applied = born
	if s.o.Config.Start == "oldest" || lost {
		oldest, err := s.o.Store.Oldest()
		if err != nil {
			return err
		}
		s.rec.applied = min(oldest, born)
	}
	s.rec.checkpoint = s.rec.applied
	s.link()
	var defs definitions
	from := s.rec.applied
	if s.st != nil {
		from = s.o.Store.ResultEnd(s.name)
	}
	defs.begin(s.p, from, from)
	u := &edged.Update{}
	if err := s.clearState(u); err != nil { // of an earlier stream of that name, which was given up
		return err
	}
	u.Puts = append(u.Puts, defs.put(s.name))
	if s.st != nil {
		s.addCheckpoint(u)
	}
	u.Cursors = []edged.Cursor{s.cursor()}
	return s.commit(ctx, u, &defs)
}

// clearState deletes the saved windows.
func (s *Stream) clearState(u *edged.Update) error {
	return s.o.Store.Values(spaceState+s.name, func(key string, _ []byte, _ error) error {
		u.Puts = append(u.Puts, edged.Put{Space: spaceState + s.name, Key: key, Apart: true})
		return nil
	})
}

// rebase has the committer's count hold from here on: entries before born are counted by the stream itself as it passes them.
// Both figures are one tick's, so that no commit can come between them.
func (s *Stream) rebase() {
	s.rec.old, s.rec.born, s.rec.base = s.rec.passed(), 0, 0
	if t := s.o.Store.LastTick(); t != nil {
		s.rec.born = t.Seq + 1
		s.rec.base, _ = t.RoutedTo(s.name)
	}
}

// counted reports whether the committer has counted for the stream since it was born. It has not if there was a life of the
// gateway without the stream in its configuration.
func (s *Stream) counted() bool {
	t := s.o.Store.LastTick()
	if t == nil || t.Seq < s.rec.born {
		return true
	}
	routed, ok := s.rec.routed(s.name, t)
	// Less than was passed, at a tick behind all of it: the totals are from before, because newer ones were damaged.
	short := t.Seq+1 >= s.rec.applied && int64(routed-s.rec.passed()) < 0
	return ok && !short
}

// restore loads the state of the last checkpoint under a plan and replays the log up to the cursor: state is rebuilt,
// nothing is given and nothing is counted.
func (s *Stream) restore(p *Plan) error {
	s.use(p)
	s.link()
	if s.st == nil {
		return nil
	}
	if err := s.loadState(); err != nil {
		return err
	}
	s.out.mute = true
	defer func() { s.out.mute = false }()
	for seq := s.rec.checkpoint; seq < s.rec.applied; {
		e, ok, err := s.o.Store.Next(seq)
		if err != nil {
			return err
		}
		if !ok || e.Seq >= s.rec.applied {
			break
		}
		s.apply(&e)
		seq = e.Seq + 1
		if e.Block != nil {
			s.since += e.Block.Size() // it waits for the next checkpoint, whether more comes or not: a full store lets nothing in
		}
	}
	s.stepEnd() // a batch that was given before the stop
	return nil
}

// changeOver ends the old definition and begins the new one, at the position that the stream has reached: the log up to it
// is replayed under the old definition, what was open then leaves marked as partial, and the new definition begins empty.
func (s *Stream) changeOver(ctx context.Context, defs *definitions) error {
	u := &edged.Update{}
	next := *defs
	next.Segments = append([]segment(nil), defs.Segments...)
	end := s.rec.applied
	if old, err := CompileDefinition(s.name, defs.Current); err != nil {
		s.o.Log.Error("the stream's former definition cannot be compiled any more; windows that were open under it are given up", "stream", s.name, "error", err)
	} else if err := s.restore(old); err != nil {
		return err
	} else if s.st != nil {
		s.closeAll()
		s.produced()
		s.out.entryEnd(max(s.rec.applied, 1), s.downstream())
		if s.out.chain != nil {
			s.out.chain.end(s.over())
		}
		u.Results, s.out.results = s.out.results, nil
		end = s.o.Store.ResultEnd(s.name) + uint64(len(u.Results))
	}
	s.o.Log.Info("the stream's definition has changed: what was open left as partial, the new definition begins here", "stream", s.name, "position", s.rec.applied, "partial_rows", len(u.Results))
	if err := s.clearState(u); err != nil {
		return err
	}
	before := s.r
	s.use(s.o.Plan)
	s.link()
	u.Blocks = s.out.chain.take()
	if before != nil {
		s.r.table.from(before.table)
	}
	s.rebase()
	from := s.rec.applied
	if s.st != nil {
		from = s.o.Store.ResultEnd(s.name) + uint64(len(u.Results))
		s.addCheckpoint(u)
	} else {
		s.rec.checkpoint = s.rec.applied
	}
	oldest, err := s.o.Store.Oldest()
	if err != nil {
		return err
	}
	next.prune(s.name, s.o.Store.Cursors(), oldest)
	next.begin(s.p, from, end)
	u.Puts = append(u.Puts, next.put(s.name))
	u.Cursors = []edged.Cursor{s.cursor()}
	return s.commit(ctx, u, &next)
}
