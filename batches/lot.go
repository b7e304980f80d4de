package batches

import (
	"encoding/binary"

	"edged"
)

// lot is what has come of one group that leaves together: a session, a count window, or everything since the stream began.
type lot struct {
	group
	epoch       uint32 // of its rows; if there are several epochs in it, the latest: a receiver that has not stepped yet does not take it back
	first, last int64  // the earliest and the latest time of its rows
	recent      int64  // the latest time of its rows in epoch
	n           uint64 // rows
	untrusted   bool   // a block in it was cut while the wall clock was not synchronised
	incomplete  bool   // a part of it was lost
	revision    uint64 // of what was last given of it before its end; 0: nothing was

	left edged.Instant // behind a join of two streams: when its last row left that. Not saved: what leaves has had a row just before
}

func (p *Plan) newLot(in *arrived) *lot {
	return &lot{group: group{key: string(in.key), values: in.values(), accs: p.newAccs()}}
}

// epochOf is the epoch of a row's time: 0 on event time, which does not know the gateway's clock.
func (p *Plan) epochOf(in *arrived) uint32 {
	if p.time.field != nil {
		return 0
	}
	return in.epoch
}

// add takes a row of the group. It is the last one in the order of the log.
func (l *lot) add(in *arrived, epoch uint32) {
	if l.n == 0 {
		l.first, l.last = in.at, in.at
	}
	if l.n == 0 || epoch > l.epoch {
		l.epoch, l.recent = epoch, in.at
	}
	l.first, l.last = min(l.first, in.at), max(l.last, in.at)
	if epoch == l.epoch {
		l.recent = max(l.recent, in.at)
	}
	l.n++
	l.untrusted = l.untrusted || !in.trusted
	l.take(in)
	l.left = in.left
}

// merge takes over what is in a lot of later rows.
func (l *lot) merge(later *lot) {
	l.last, l.recent = max(l.last, later.last), max(l.recent, later.recent)
	l.n += later.n
	l.untrusted, l.incomplete = l.untrusted || later.untrusted, l.incomplete || later.incomplete
	l.revision = max(l.revision, later.revision)
	merge(l.accs, later.accs)
	l.dirty = true
}

// span is the window of a lot that ends with its last row.
func (l *lot) span() edged.Window {
	return edged.Window{Epoch: l.epoch, Start: l.first, End: l.last + 1}
}

// give has the lot leave for good in a window; what was given of it before makes it a further revision.
func (l *lot) give(out *output, win edged.Window, partial bool) {
	is := signs{untrusted: l.untrusted, partial: partial || l.incomplete, at: l.latest()}
	if l.revision > 0 {
		is.revision = l.revision + 1
	}
	out.result(win, &l.group, nil, is)
}

// show gives what the lot is so far, under the next revision.
func (l *lot) show(out *output, win edged.Window, partial bool) {
	l.revision++
	l.fresh, l.dirty = false, true
	out.result(win, &l.group, nil, signs{untrusted: l.untrusted, partial: partial || l.incomplete, revision: l.revision, early: out.p.follows(), at: l.latest()})
}

// latest is the moment of its latest row.
func (l *lot) latest() edged.Instant {
	if !l.left.IsZero() {
		return l.left
	}
	return edged.Instant{Epoch: l.epoch, Wall: l.recent}
}

func (l *lot) compare(o *lot) int { return l.group.compare(&o.group) }

// A lot in a checkpoint: its figures, and the accumulators of its group.

func (l *lot) append(b []byte) []byte {
	flags := byte(0)
	for i, f := range []bool{l.untrusted, l.incomplete, l.fresh} {
		if f {
			flags |= 1 << i
		}
	}
	b = append(b, recordVersion, flags)
	b = binary.AppendUvarint(b, uint64(l.epoch))
	b = binary.AppendVarint(b, l.first)
	b = binary.AppendVarint(b, l.last)
	b = binary.AppendVarint(b, l.recent)
	b = binary.AppendUvarint(b, l.n)
	b = binary.AppendUvarint(b, l.revision)
	return l.group.append(b)
}

// readLot reads what append wrote of the group with this key.
func (p *Plan) readLot(key string, value []byte, err error) (*lot, error) {
	if err != nil {
		return nil, err
	}
	r := headerReader{b: value}
	if r.take(1)[0] != recordVersion {
		return nil, errState
	}
	flags := r.take(1)[0]
	l := &lot{untrusted: flags&1 != 0, incomplete: flags&2 != 0}
	l.epoch, l.first, l.last, l.recent, l.n, l.revision = uint32(r.uvarint()), r.varint(), r.varint(), r.varint(), r.uvarint(), r.uvarint()
	if r.err != nil {
		return nil, r.err
	}
	g, err := p.readGroup(key, r.b)
	if err != nil {
		return nil, err
	}
	l.group = *g
	l.fresh = flags&4 != 0
	return l, nil
}

// hollowLot is a lot of which everything was lost but its key; nil if that cannot be read either.
func (p *Plan) hollowLot(key string) *lot {
	values, err := p.readKey(key)
	if err != nil {
		return nil
	}
	return &lot{group: group{key: key, values: values, accs: p.newAccs(), saved: true, dirty: true}, incomplete: true}
}
