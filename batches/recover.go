package batches

import (
	"fmt"
	"strings"
	"time"

	"edged"
)

// A stream of which the store has lost a part goes on with the rest, in the way that loses least: what it has passed may come again,
// what it has not passed is not skipped, and a window of which a part is gone says partial. docs/adr/0015-recovery.md has the cases.

// newLife is the life of a stream whose counts begin anew.
func newLife() uint64 { return uint64(time.Now().UnixNano()) }

// assumed are the definitions of a stream of which the store has none that can be read: it was always as it is now.
func (s *Stream) assumed() *definitions {
	d := new(definitions)
	d.begin(s.o.Plan, 0, 0)
	return d
}

// resume takes the record over that the cursor carries. If the cursor is lost, or an older one than what else the store has of the
// stream, it goes on where the rest says, and counts from there.
func (s *Stream) resume(c edged.Cursor, defs *definitions) (err error) {
	s.rec = record{}
	if !c.Lost {
		if s.rec, err = readRecord(c.Data); err != nil {
			return edged.WithClass(fmt.Errorf("stream %s: %w", s.name, err), edged.Permanent)
		}
		s.remember(c)
	}
	s.mu.Lock()
	s.resumed = s.rec.Produced
	s.mu.Unlock()
	reached, err := s.reached(defs)
	switch {
	case err != nil:
		return err
	case !c.Lost && reached <= s.rec.applied:
		return nil
	case c.Lost && reached == 0:
		if reached, err = s.o.Store.Oldest(); err != nil {
			return err
		}
	}
	s.rec.life = newLife()
	s.rec.applied = reached
	if c.Lost {
		s.rec.checkpoint = reached
	}
	s.rebase()
	s.o.Log.Error("the stream's cursor was lost, or is older than the rest: it goes on where its windows, results and deliveries say that it was", "stream", s.name, "position", reached)
	return nil
}

// reached is the furthest position that the stream is known to have come to by what is left of it besides its cursor; 0 if that is
// nothing. What came after it may come again.
func (s *Stream) reached(defs *definitions) (at uint64, err error) {
	err = s.o.Store.Values(spaceState+s.name, func(key string, value []byte, err error) error {
		if r := (headerReader{b: value}); key == "h" && err == nil && r.take(1)[0] == recordVersion {
			at = r.u64()
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	if res, ok, err := s.o.Store.LastResult(s.name); ok && err == nil {
		if last := defs.Segments[len(defs.Segments)-1]; last.Log == s.name && res.Seq >= last.From {
			at = max(at, res.Cause+1)
		} else { // what left as partial at a change was caused by what comes next
			at = max(at, res.Cause)
		}
	}
	if res, ok, err := s.o.Store.LastResult(edged.SideLog(s.name, edged.Late)); ok && err == nil {
		at = max(at, res.Cause+1)
	}
	for _, c := range s.o.Store.Cursors() {
		stream, _, ok := edged.SplitDelivery(c.Name)
		if from, some := c.Need.Next(0); ok && some && stream == s.name && c.Log == "" && !c.Lost {
			at = max(at, from)
		}
	}
	return at, nil
}

// loadState reads the state that the last checkpoint saved, for the stream's present plan. What cannot be read of it is left out.
func (s *Stream) loadState() error {
	header, lost, all := false, 0, false
	at := s.rec.checkpoint
	err := s.o.Store.Values(spaceState+s.name, func(key string, value []byte, err error) error {
		if key == "h" {
			header = err == nil && s.readHeader(value) == nil
			return nil
		}
		l := unknown
		switch {
		case s.r.mem != nil && strings.HasPrefix(key, "m"):
			l = s.r.mem.load(key, value, err)
		case s.r.table != nil && strings.HasPrefix(key, "t"):
			l = s.r.table.load(key, value, err)
		case s.held != nil && strings.HasPrefix(key, "j"):
			l = s.held.load(key, value, err)
		default:
			l = s.st.load(key, value, err)
		}
		if l != nothing {
			lost++
			all = all || l == unknown
			s.unreadable = append(s.unreadable, key)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("stream %s: the saved state of its windows cannot be read: %w", s.name, err)
	}
	if s.r.table != nil {
		if err := s.r.table.loadEnd(); err != nil {
			s.o.Log.Error("the stream's copy of the table that it joins cannot be read: it is offered again by its receiver, and until then no row has a partner", "stream", s.name, "table", s.p.join.other, "error", err)
		}
	}
	if s.held != nil {
		s.held.loadEnd(s.wm.now())
	}
	if !header {
		s.rec.checkpoint = min(at, s.rec.applied)
		all = true
	}
	if s.rec.checkpoint < at { // the saved state is an older one: the log must fill the gap
		oldest, err := s.o.Store.Oldest()
		if err != nil {
			return err
		}
		all = all || oldest > s.rec.checkpoint
	}
	s.rec.applied = max(s.rec.applied, s.rec.checkpoint)
	if t := s.o.Store.LastTick(); all && t != nil {
		s.st.tear(t.Newest())
	}
	if all || lost > 0 {
		s.o.Log.Error("a part of the stream's saved windows cannot be read: the rest goes on, and windows of which something is missing say partial", "stream", s.name, "values_lost", lost, "header", header, "all_windows", all)
	}
	return nil
}
