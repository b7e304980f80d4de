package batches

import (
	"context"
	"encoding/binary"
	"errors"
	"time"

	"edged"
)

// The state of a stream is kept in the space state/STREAM, one value a group, so that a checkpoint writes what changed since the last
// one and no more. The key h is the header: where time stands, see appendHeader; the others are the state's own.

// checkpoint saves the state as of the stream's position, and moves the cursor's checkpoint there.
func (s *Stream) checkpoint(ctx context.Context) error {
	u := &edged.Update{}
	if s.st != nil {
		s.addCheckpoint(u)
	}
	u.Cursors = []edged.Cursor{s.cursor()}
	return s.commit(ctx, u, nil)
}

// addCheckpoint adds the state's changes to an update. The update must be committed before the stream goes on.
func (s *Stream) addCheckpoint(u *edged.Update) {
	space := spaceState + s.name
	put := func(key string, value []byte) {
		u.Puts = append(u.Puts, edged.Put{Space: space, Key: key, Value: value, Apart: true})
	}
	for _, key := range s.unreadable { // before what may come in its place
		put(key, nil)
	}
	s.unreadable = nil
	s.st.changes(put)
	if s.r.mem != nil {
		s.r.mem.changes(put)
	}
	if s.r.table != nil {
		s.r.table.changes(put)
	}
	if s.held != nil {
		s.held.changes(put)
	}
	put("h", s.appendHeader(nil))
	s.rec.checkpoint = s.rec.applied
	s.saved, s.since = time.Now(), 0
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
	return s.st.appendHeader(b)
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

func (r *headerReader) varint() int64 {
	v, n := binary.Varint(r.b)
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
	s.st.readHeader(&r)
	return r.err
}
