package batches

import (
	"fmt"
	"math"
	"strings"

	"edged"
	"edged/internal/rowcodec"
)

// feed is a stream's output for one delivery. It implements edged.Feed: rows of a stateless stream are read from the block
// log, those of windows from the result log, and those from before a change as they were defined then.
type feed struct {
	s       *Stream
	readers map[string]*rowReader // by definition
	late    bool                  // the stream had opened before
}

// Feed makes a feed. It may be used before the stream has opened; until then there is nothing to read.
func (s *Stream) Feed() edged.Feed {
	s.mu.Lock()
	defer s.mu.Unlock()
	return &feed{s, map[string]*rowReader{}, s.ready}
}

// Watch implements edged.Feed.
func (f *feed) Watch(wake func()) (stop func()) {
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	f.s.watchers[f] = wake
	return func() {
		f.s.mu.Lock()
		defer f.s.mu.Unlock()
		delete(f.s.watchers, f)
	}
}

// Produced implements edged.Feed.
func (f *feed) Produced() uint64 {
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	return f.s.shown.Produced
}

// Life implements edged.Feed.
func (f *feed) Life() uint64 {
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	return f.s.shown.life
}

// Resumed implements edged.Feed.
func (f *feed) Resumed() uint64 {
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	if f.late {
		return f.s.shown.Produced
	}
	return f.s.resumed
}

// segments returns the stretches that the stream's output consists of, and how far the last one goes.
func (f *feed) segments() ([]segment, uint64, error) {
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	if !f.s.ready || len(f.s.defs.Segments) == 0 {
		return nil, 0, errNotOpen
	}
	segs := f.s.defs.Segments
	if segs[len(segs)-1].Log == "" {
		return segs, f.s.shown.applied, nil
	}
	return segs, f.s.o.Store.ResultEnd(f.s.name), nil
}

// Oldest implements edged.Feed.
func (f *feed) Oldest() (edged.Place, error) {
	segs, _, err := f.segments()
	if err != nil {
		return edged.Place{}, err
	}
	at := edged.Place{Log: segs[0].Log, Pos: edged.Pos{Seq: segs[0].From}}
	if at.Log == "" {
		oldest, err := f.s.o.Store.Oldest()
		if err != nil {
			return edged.Place{}, err
		}
		at.Seq = min(max(at.Seq, oldest), segs[0].To)
	}
	return at, nil
}

// End implements edged.Feed.
func (f *feed) End() edged.Place {
	segs, end, err := f.segments()
	if err != nil {
		return edged.Place{}
	}
	return edged.Place{Log: segs[len(segs)-1].Log, Pos: edged.Pos{Seq: end}}
}

// Read implements edged.Feed.
func (f *feed) Read(from, until edged.Place, limits edged.Limits) (edged.Reading, error) {
	segs, end, err := f.segments()
	if err != nil {
		return edged.Reading{}, err
	}
	if until != (edged.Place{}) && from == until {
		return edged.Reading{From: from, To: from}, nil
	}
	i, in := stretch(segs, from)
	g, last := segs[i], i == len(segs)-1
	stop := edged.Pos{Seq: g.To}
	if last {
		stop.Seq = end
	}
	if until != (edged.Place{}) && until.Log == g.Log && until.Before(stop) {
		stop = until.Pos
	}
	r := edged.Reading{From: from, To: in, Like: "results"}
	if g.Log == "" {
		r.Like = g.Definition
		err = f.rows(&r, g, stop, limits)
	} else {
		err = f.results(&r, stop, limits)
	}
	if !last && r.To != until && r.To.Pos == (edged.Pos{Seq: g.To}) { // the stretch is read: the next one begins
		r.To, r.More = segs[i+1].begins(), true
	}
	return r, err
}

// readBytes bounds how much of a log is gone through in one call, rows or none.
const readBytes = 16 << 20

// rows reads a stretch of the block log. What the stream's own cursor filtered or set aside is left out here too: the same
// definition decides the same.
func (f *feed) rows(r *edged.Reading, g segment, stop edged.Pos, limits edged.Limits) error {
	rd, err := f.reader(g.Definition)
	if err != nil {
		return err
	}
	r.Rows = limits.Into.Again(f.s.name, rd.p.names)
	defer r.Rows.Forget()
	gone := int64(0)
	for r.To.Before(stop) {
		e, ok, err := f.s.o.Store.Next(r.To.Seq)
		if err != nil {
			return err
		}
		if !ok || e.Seq >= stop.Seq && (e.Seq > stop.Seq || stop.Off == 0) {
			r.To.Pos = stop
			return nil
		}
		off := uint32(0)
		if e.Seq == r.To.Seq {
			off = r.To.Off
		}
		b := e.Block
		if b == nil || !rd.p.takes(b.Receiver) {
			r.To.Pos = edged.Pos{Seq: e.Seq + 1}
			continue
		}
		end := uint32(math.MaxUint32)
		if e.Seq == stop.Seq {
			end = stop.Off
		}
		rd.sound = f.s.knownSound(e.Seq, rd.p)
		if full := rd.readBlock(b, r, off, end, limits); full {
			return nil
		}
		if r.To.Pos = (edged.Pos{Seq: e.Seq + 1}); e.Seq == stop.Seq {
			r.To.Pos = stop
			return nil
		}
		if gone += b.Size(); gone >= readBytes {
			r.More = r.To.Before(stop)
			return nil
		}
	}
	return nil
}

// readBlock reads the rows of a block that stand from one offset up to another. It reports whether there is no room for a further one;
// r.To is where that stands.
func (rd *rowReader) readBlock(b *edged.Block, r *edged.Reading, from, end uint32, limits edged.Limits) (full bool) {
	defer rd.letGo()
	rows := r.Rows
	for i, skip := rd.p.message(from); i < b.Len() && rd.p.offset(i, 0) < end; i, skip = i+1, 0 {
		if rd.begin(b, i) != good {
			continue
		}
		for k := 0; rd.more(); k++ {
			v := rd.next()
			off := rd.p.offset(i, k)
			if off >= end {
				break
			}
			if v != good || k < skip {
				continue
			}
			if rows.Len() >= limits.Rows || r.Bytes >= limits.Bytes {
				r.To.Pos, r.More = edged.Pos{Seq: b.Seq, Off: off}, true
				return true
			}
			had := len(rows.Cells)
			rows.Cells = rd.output(rows.Cells)
			rows.At = append(rows.At, edged.Pos{Seq: b.Seq, Off: off})
			for _, v := range rows.Cells[had:] { // what select made can be more than the payload
				r.Bytes += int64(len(v.Str()))
			}
			r.Bytes += rowOverhead
		}
	}
	return false
}

// rowOverhead is what a row is longer than its texts when it is written, about.
const rowOverhead = 80

func (f *feed) reader(definition string) (*rowReader, error) {
	if rd, ok := f.readers[definition]; ok {
		return rd, nil
	}
	p := f.s.o.Plan
	if definition != p.Definition {
		var err error
		if p, err = CompileDefinition(f.s.name, definition); err != nil {
			return nil, fmt.Errorf("stream %s: rows from before its definition changed can be read no more: %w", f.s.name, err)
		}
	}
	rd := newRowReader(p)
	f.readers[definition] = rd
	return rd, nil
}

// results reads a stretch of the result log. Rows of one reading have one origin and the same columns.
func (f *feed) results(r *edged.Reading, stop edged.Pos, limits edged.Limits) error {
	return readResults(f.s.o.Store, f.s.name, "", r, stop, limits)
}

// readResults reads rows of a result log from r.To until stop into r. Rows that are for other sinks are left out.
func readResults(s Store, stream, sink string, r *edged.Reading, stop edged.Pos, limits edged.Limits) error {
	for r.To.Before(stop) {
		res, ok, err := s.NextResult(stream, r.To.Seq)
		if err != nil && res.Seq == 0 {
			return err
		}
		if !ok || res.Seq >= stop.Seq && (res.Seq > stop.Seq || stop.Off == 0) {
			r.To.Pos = stop
			break
		}
		off := uint32(0)
		if res.Seq == r.To.Seq {
			off = r.To.Off
		}
		if err == nil && !rowcodec.IsFor(res.Data, sink) {
			if r.To.Pos = (edged.Pos{Seq: res.Seq + 1}); stop.Before(r.To.Pos) {
				r.To.Pos = stop
			}
			continue
		}
		var rows *edged.Rows
		if err == nil {
			rows, err = rowcodec.Decode(res.Data, res.Seq, res.Rows)
		}
		if err != nil { // damaged: set aside, and go on behind it
			r.To.Pos = edged.Pos{Seq: res.Seq + 1}
			continue
		}
		if r.Rows == nil {
			r.Rows = limits.Into.Again(rows.Stream, rows.Names)
		}
		if rows.Stream != r.Rows.Stream || strings.Join(rows.Names, ",") != strings.Join(r.Rows.Names, ",") {
			r.More = true
			break
		}
		to := uint32(rows.Len())
		if res.Seq == stop.Seq {
			to = min(to, stop.Off)
		}
		full := false
		for ; off < to && !full; off++ {
			if full = r.Rows.Len() >= limits.Rows || r.Bytes >= limits.Bytes; full {
				break
			}
			r.Rows.Cells = append(r.Rows.Cells, rows.Row(int(off))...)
			r.Rows.At = append(r.Rows.At, rows.At[off])
			r.Bytes += int64(len(res.Data))/int64(max(res.Rows, 1)) + rowOverhead
		}
		if full {
			r.To.Pos, r.More = edged.Pos{Seq: res.Seq, Off: off}, true
			break
		}
		if r.To.Pos = (edged.Pos{Seq: res.Seq + 1}); res.Seq == stop.Seq {
			r.To.Pos = stop
		}
	}
	if r.Rows == nil {
		r.Rows = &edged.Rows{Stream: stream}
	}
	r.Rows.Forget()
	return nil
}
