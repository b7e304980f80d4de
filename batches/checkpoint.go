package batches

import (
	"context"
	"encoding/binary"
	"errors"
	"time"

	"edged"
	"edged/internal/rowcodec"
)

// The state of a stream's open windows is kept as one value a group, so that a checkpoint writes what changed since the
// last one and no more. Keys of the space state/STREAM:
//
//	h                                     where time stands: see appendHeader
//	p + epoch + start                     a pane's own flags: untrusted, incomplete
//	g + epoch + start + group's key       a group's accumulators, each with its length before it
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

// checkpoint saves the state as of the stream's position, and moves the cursor's checkpoint there.
func (s *Stream) checkpoint(ctx context.Context) error {
	u := &edged.Update{}
	if s.st != nil {
		s.addCheckpoint(u)
	}
	u.Cursors = []edged.Cursor{s.rec.cursor(s.name)}
	return s.commit(ctx, u, nil)
}

// addCheckpoint adds the state's changes to an update. The update must be committed before the stream goes on.
func (s *Stream) addCheckpoint(u *edged.Update) {
	space := spaceState + s.name
	put := func(key string, value []byte) {
		u.Puts = append(u.Puts, edged.Put{Space: space, Key: key, Value: value})
	}
	for _, g := range s.st.gone {
		if g.key == "" {
			put(string(g.pane.append([]byte{'p'})), nil)
		}
		put(string(append(g.pane.append([]byte{'g'}), g.key...)), nil)
	}
	s.st.gone = nil
	for _, key := range s.st.unreadable { // before what may come in its place
		put(key, nil)
	}
	s.st.unreadable = nil
	for _, p := range s.st.byKey {
		if p.dirty {
			put(string(p.append([]byte{'p'})), []byte{p.flags()})
			p.dirty = false
		}
		for _, g := range p.groups {
			if g.dirty {
				put(string(append(p.append([]byte{'g'}), g.key...)), g.append(nil))
				g.dirty, g.saved = false, true
			}
		}
	}
	put("h", s.appendHeader(nil))
	s.rec.checkpoint = s.rec.applied
	s.saved, s.since = time.Now(), 0
}

func (g *group) append(b []byte) []byte {
	var one []byte
	for _, a := range g.accs {
		one = a.AppendBinary(one[:0])
		b = binary.AppendUvarint(b, uint64(len(one)))
		b = append(b, one...)
	}
	return b
}

// appendHeader writes where time stands: the receivers' cuts, the event watermark, and the next window of each epoch.
func (s *Stream) appendHeader(b []byte) []byte {
	b = append(b, recordVersion)
	b = binary.LittleEndian.AppendUint64(b, s.rec.applied)
	b = binary.AppendUvarint(b, uint64(len(s.wm.cuts)))
	for i, c := range s.wm.cuts {
		b = binary.AppendUvarint(b, uint64(len(s.p.from[i])))
		b = append(b, s.p.from[i]...)
		b = appendInstant(b, c)
	}
	seen := byte(0)
	if s.wm.seen {
		seen = 1
	}
	b = append(b, seen)
	b = binary.LittleEndian.AppendUint64(b, uint64(s.wm.event))
	b = appendInstant(b, s.wm.from)
	b = binary.LittleEndian.AppendUint64(b, uint64(s.wm.base))
	b = binary.AppendUvarint(b, uint64(len(s.st.next)))
	for epoch, start := range s.st.next {
		b = appendInstant(b, edged.Instant{Epoch: epoch, Wall: start})
	}
	return b
}

func appendInstant(b []byte, at edged.Instant) []byte {
	b = binary.LittleEndian.AppendUint32(b, at.Epoch)
	return binary.LittleEndian.AppendUint64(b, uint64(at.Wall))
}

var errState = errors.New("it ends too early")

// headerReader takes values off a header's front.
type headerReader struct {
	b   []byte
	err error
}

func (r *headerReader) take(n uint64) []byte {
	if n > uint64(len(r.b)) {
		r.err, r.b = errState, nil
		return make([]byte, min(n, 16))
	}
	p := r.b[:n]
	r.b = r.b[n:]
	return p
}

func (r *headerReader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.err, r.b = errState, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *headerReader) u64() uint64 { return binary.LittleEndian.Uint64(r.take(8)) }

func (r *headerReader) instant() edged.Instant {
	e := binary.LittleEndian.Uint32(r.take(4))
	return edged.Instant{Epoch: e, Wall: int64(r.u64())}
}

// readHeader reads where time stands, and the position of the checkpoint. It is the cursor's, unless one of the two was damaged.
func (s *Stream) readHeader(b []byte) error {
	r := headerReader{b: b}
	if r.take(1)[0] != recordVersion {
		return errors.New("it has an unknown version")
	}
	s.rec.checkpoint = r.u64()
	for range r.uvarint() {
		name := string(r.take(r.uvarint()))
		at := r.instant()
		for i, f := range s.p.from {
			if f == name {
				s.wm.cuts[i] = at
			}
		}
		if r.err != nil {
			return r.err
		}
	}
	s.wm.seen = r.take(1)[0] == 1
	s.wm.event = int64(r.u64())
	s.wm.high = s.wm.event // a checkpoint is made at an entry's end
	s.wm.from = r.instant()
	s.wm.base = int64(r.u64())
	for range r.uvarint() {
		at := r.instant()
		if r.err != nil {
			return r.err
		}
		s.st.next[at.Epoch] = at.Wall
	}
	return r.err
}

func (s *panes) at(k paneKey) *pane {
	p := s.byKey[k]
	if p == nil {
		p = &pane{paneKey: k, groups: map[string]*group{}}
		s.byKey[k] = p
	}
	return p
}

func (s *panes) readGroup(k paneKey, key string, value []byte) error {
	g := &group{key: key, accs: s.newAccs(), saved: true}
	names := rowcodec.Reader{B: []byte(key)}
	for range s.p.keys {
		g.values = append(g.values, names.Value())
	}
	r := headerReader{b: value}
	for _, a := range g.accs {
		if err := a.UnmarshalBinary(r.take(r.uvarint())); err != nil {
			return err
		}
	}
	if names.Err != nil || r.err != nil || len(r.b) > 0 {
		return errState
	}
	s.at(k).groups[key] = g
	return nil
}
