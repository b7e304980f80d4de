package batches

import (
	"encoding/binary"
	"strings"

	"edged"
)

// Panes in a checkpoint:
//
//	p + epoch + start                     a pane's own flags: untrusted, incomplete
//	g + epoch + start + group's key       a group's accumulators, each with its length before it; with emit_every, whether it is fresh before them
//	v + epoch + start + group's key       how often a group was given before the end of the window that begins at start
//	b + epoch + group's key               what was before: see panes_before.go
//
// epoch is 4 bytes and start 8, big-endian, start with its sign bit flipped so that keys sort by time.

func (k paneKey) append(b []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, k.epoch)
	return binary.BigEndian.AppendUint64(b, uint64(k.start)^1<<63)
}

const paneKeyLen = 12

func readPaneKey(b string) paneKey {
	k := []byte(b[:paneKeyLen])
	return paneKey{binary.BigEndian.Uint32(k), int64(binary.BigEndian.Uint64(k[4:]) ^ 1<<63)}
}

// load implements state.
func (s *panes) load(key string, value []byte, err error) loss {
	if strings.HasPrefix(key, "b") {
		return s.loadPast(key, value, err)
	}
	if len(key) < 1+paneKeyLen || key[0] != 'p' && key[0] != 'g' && key[0] != 'v' {
		return unknown
	}
	if key[0] == 'v' {
		return s.loadMark(readPaneKey(key[1:]), key[1+paneKeyLen:], value, err)
	}
	p := s.at(readPaneKey(key[1:]))
	if key[0] == 'p' {
		if err != nil || len(value) != 1 {
			p.untrusted = true
			return marked
		}
		p.untrusted, p.incomplete = value[0]&1 != 0, value[0]&2 != 0
		return nothing
	}
	var g *group
	fresh := false
	if s.early.every > 0 && err == nil {
		r := headerReader{b: value}
		fresh, value, err = r.take(1)[0] == 1, r.b, r.err
	}
	if err == nil {
		g, err = s.p.readGroup(key[1+paneKeyLen:], value)
	}
	if err != nil {
		p.incomplete, p.dirty = true, true
		return marked
	}
	p.groups[g.key] = g
	s.slid(p, g)
	if fresh {
		s.changed(p, g)
	}
	return nothing
}

// tear implements state.
func (s *panes) tear(at edged.Instant) { s.torn = at }

func (s *panes) isTorn(win edged.Window) bool { return s.p.before(win.Epoch, win.Start, s.torn) }

// changes implements state.
func (s *panes) changes(put func(key string, value []byte)) {
	for _, g := range s.gone {
		if g.key == "" {
			put(string(g.pane.append([]byte{'p'})), nil)
		}
		put(string(append(g.pane.append([]byte{'g'}), g.key...)), nil)
	}
	s.gone = nil
	for _, p := range s.byKey {
		if p.dirty {
			put(string(p.append([]byte{'p'})), []byte{p.flags()})
			p.dirty = false
		}
		for _, g := range p.groups {
			if g.dirty {
				put(string(append(p.append([]byte{'g'}), g.key...)), g.append(s.freshness(g)))
				g.dirty, g.saved = false, true
			}
		}
	}
	s.putMarks(put)
	s.putPasts(put)
}

// appendHeader implements state: the next window of each epoch.
func (s *panes) appendHeader(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(s.next)))
	for epoch, start := range s.next {
		b = appendInstant(b, edged.Instant{Epoch: epoch, Wall: start})
	}
	return s.early.appendHeader(b)
}

// readHeader implements state.
func (s *panes) readHeader(r *headerReader) {
	for range r.uvarint() {
		at := r.instant()
		if r.err != nil {
			return
		}
		s.next[at.Epoch] = at.Wall
	}
	s.early.readHeader(r)
}
