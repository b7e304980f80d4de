package batches

import (
	"maps"
	"slices"

	"edged"
)

// batch is the state of window = "batch": what one step of the stream takes, as in Spark, where every batch is computed on its own. It alone does not
// depend on the log only: where a batch ends is committed with what it gave. After a restart a batch that was committed does not come again, and one that
// was not is formed anew. No row is late, and nothing is open between two steps.
//
// A step that finds much, after an outage for example, commits more than once (stepBytes, stepResults); a batch ends there too. So nothing of
// a batch must be kept on disk, and what it holds is bounded as that of a window is: by max_groups.
//
// The window begins with the end of the batch before, the watermark then, and ends with the present watermark; it is widened to what its rows' times
// need, which can lie ahead of the watermark. A batch without a row gives nothing. A rate is that of the batch's own rows.
type batch struct {
	p      *Plan
	groups map[string]*lot
	before edged.Instant // end of the batch before; zero if there is none

	epoch uint32 // of the last row
}

func newBatch(p *Plan) *batch { return &batch{p: p, groups: map[string]*lot{}} }

// add implements state.
func (s *batch) add(in *arrived) fate {
	l := s.groups[string(in.key)]
	if l == nil {
		if len(s.groups) >= s.p.groups {
			return isDropped
		}
		l = s.p.newLot(in)
		s.groups[l.key] = l
	}
	s.epoch = s.p.epochOf(in)
	l.add(in, s.epoch)
	return isApplied
}

// advance implements state: nothing leaves before the step's end.
func (s *batch) advance(edged.Instant, *output) {}

// stepEnd has the batch leave.
func (s *batch) stepEnd(w edged.Instant, out *output) {
	if len(s.groups) > 0 {
		s.leave(w, out)
	}
	if !w.IsZero() && w.Wall != never {
		s.before = w
	}
}

func (s *batch) leave(w edged.Instant, out *output) {
	groups := slices.SortedFunc(maps.Values(s.groups), (*lot).compare)
	win := groups[0].span()
	untrusted := false
	at := edged.Instant{Epoch: s.epoch}
	for _, l := range groups {
		at = later(at, l.latest())
		win.Start, win.End = min(win.Start, l.first), max(win.End, l.last+1)
		untrusted = untrusted || l.untrusted
	}
	win.Epoch = s.epoch
	if !s.before.IsZero() && s.before.Epoch == s.epoch {
		win.Start = min(win.Start, s.before.Wall)
	}
	if w.Epoch == s.epoch && w.Wall != never {
		win.End = max(win.End, w.Wall)
	}
	for _, l := range groups {
		out.result(win, &l.group, nil, signs{untrusted: untrusted, at: at})
	}
	clear(s.groups)
}

// closeAll implements state: nothing is open between steps.
func (s *batch) closeAll(*output) {}

func (s *batch) awaits() (at edged.Instant, ok bool)    { return at, false }
func (s *batch) count() int                             { return len(s.groups) }
func (s *batch) empty() bool                            { return true }
func (s *batch) changes(func(key string, value []byte)) {}
func (s *batch) appendHeader(b []byte) []byte           { return appendInstant(b, s.before) }
func (s *batch) readHeader(r *headerReader)             { s.before = r.instant() }
func (s *batch) load(string, []byte, error) loss        { return unknown }
func (s *batch) tear(edged.Instant)                     {}
