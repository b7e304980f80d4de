package batches

import (
	"cmp"
	"encoding/binary"
	"maps"
	"math"
	"slices"
	"strings"

	"edged"
)

// What was before a window. A rate begins with the last reading before it, and a time-weighted average with the value that held then. That reading can be long
// ago: a sensor that reports on change says nothing for hours. So the last readings of a pane's groups are kept when the pane is dropped: one a group, in
// which each aggregate merges what comes later. Panes are dropped in the order of time, and no row comes into one that is (it would be late), so that what is kept is
// the latest, and is the same in every life of the gateway.
//
// They are bounded by max_groups in each epoch: past it, groups that had no row for longest are forgotten, and begin their next window as new ones do. A step of
// the clock forgets all: their times say nothing in the new epoch.
//
// In a checkpoint: b + epoch (4 bytes, big-endian) + group's key, and past.append.

// past is what is kept of a group.
type past struct {
	key   string
	accs  []edged.Accumulator // by aggregate; nil for one that does not look back
	since int64               // start of the last pane with a row of the group
	lost  bool                // it could not be read after a restart: until the group has a row again, its results are partial
	dirty bool                // changed since the last checkpoint
	saved bool                // the last checkpoint has it
}

// looksBack reports whether an aggregate asks for what was before a window.
func (p *Plan) looksBack() bool {
	return slices.ContainsFunc(p.aggs, func(a aggregated) bool { return a.kind.Previous })
}

func (p *Plan) newPast(key string) *past {
	b := &past{key: key, accs: make([]edged.Accumulator, len(p.aggs))}
	for i, a := range p.aggs {
		if a.kind.Previous {
			b.accs[i] = a.kind.New()
		}
	}
	return b
}

// take goes on with the group's later rows.
func (b *past) take(accs []edged.Accumulator) {
	for i, a := range b.accs {
		if a != nil && accs[i] != nil {
			a.Merge(accs[i])
		}
	}
	b.lost = false
}

// before says of a group what is known of it before a window; nil if nothing is. Panes before the window that are there yet belong to windows that are open,
// too: only what is shown early meets them.
func (s *panes) before(win edged.Window) func(key string) *past {
	if !s.p.looksBack() {
		return func(string) *past { return nil }
	}
	from, _ := s.find(paneKey{win.Epoch, math.MinInt64})
	to, _ := s.find(paneKey{win.Epoch, win.Start})
	kept, open := s.past[win.Epoch], s.order[from:to]
	return func(key string) *past {
		b, own := kept[key], false
		for _, p := range open {
			g := p.groups[key]
			if g == nil {
				continue
			}
			if !own {
				all := s.p.newPast(key)
				if b != nil {
					all.take(b.accs)
				}
				b, own = all, true
			}
			b.take(g.accs)
		}
		return b
	}
}

// keep takes over what a pane knows that is dropped.
func (s *panes) keep(p *pane) {
	in := s.past[p.epoch]
	if in == nil {
		in = map[string]*past{}
		s.past[p.epoch] = in
	}
	for key, g := range p.groups {
		b := in[key]
		if b == nil {
			b = s.p.newPast(key)
			in[key] = b
		}
		b.take(g.accs)
		b.since, b.dirty = p.start, true
	}
	if len(in) <= s.p.groups {
		return
	}
	oldest := slices.SortedFunc(maps.Values(in), func(a, b *past) int { return cmp.Or(cmp.Compare(a.since, b.since), strings.Compare(a.key, b.key)) })
	for _, b := range oldest[:len(in)-(s.p.groups-s.p.groups/8)] { // an eighth more than must be: the next one is not to sort again
		if b.since < p.start {
			s.forgetPast(p.epoch, b)
		}
	}
}

func (s *panes) forgetPast(epoch uint32, b *past) {
	delete(s.past[epoch], b.key)
	if b.saved {
		s.bygone = append(s.bygone, pastKey(epoch, b.key))
	}
}

// forgetPasts forgets everything of an epoch.
func (s *panes) forgetPasts(epoch uint32) {
	for _, b := range s.past[epoch] {
		s.forgetPast(epoch, b)
	}
	delete(s.past, epoch)
}

func pastKey(epoch uint32, key string) string {
	return string(binary.BigEndian.AppendUint32([]byte{'b'}, epoch)) + key
}

func (s *panes) putPasts(put func(key string, value []byte)) {
	for _, key := range s.bygone { // before what may have come in its place
		put(key, nil)
	}
	s.bygone = nil
	for epoch, in := range s.past {
		for _, b := range in {
			if b.dirty {
				put(pastKey(epoch, b.key), b.append(nil))
				b.dirty, b.saved = false, true
			}
		}
	}
}

func (b *past) append(to []byte) []byte {
	flags := byte(0)
	if b.lost {
		flags = 1
	}
	to = binary.AppendVarint(append(to, recordVersion, flags), b.since)
	var one []byte
	for _, a := range b.accs {
		if a != nil {
			one = a.AppendBinary(one[:0])
			to = binary.AppendUvarint(to, uint64(len(one)))
			to = append(to, one...)
		}
	}
	return to
}

// loadPast takes a value of the checkpoint back. Of what cannot be read the group is known.
func (s *panes) loadPast(key string, value []byte, err error) loss {
	if len(key) < 5 {
		return unknown
	}
	epoch := binary.BigEndian.Uint32([]byte(key[1:5]))
	b := s.p.newPast(key[5:])
	if err == nil {
		err = b.read(value)
	}
	is := nothing
	if b.saved = true; err != nil {
		b, is = s.p.newPast(b.key), marked
		b.lost, b.dirty = true, true
	}
	if s.past[epoch] == nil {
		s.past[epoch] = map[string]*past{}
	}
	s.past[epoch][b.key] = b
	return is
}

func (b *past) read(value []byte) error {
	r := headerReader{b: value}
	if r.take(1)[0] != recordVersion {
		return errState
	}
	b.lost, b.since = r.take(1)[0] == 1, r.varint()
	for _, a := range b.accs {
		if a == nil {
			continue
		}
		if err := a.UnmarshalBinary(r.take(r.uvarint())); err != nil {
			return err
		}
	}
	if r.err != nil || len(r.b) > 0 {
		return errState
	}
	return nil
}
