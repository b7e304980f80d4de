package batches

import (
	"encoding/binary"

	"edged"
	"edged/batches/window"
)

// early is emit_every: when what is open and has changed is given before its end. Its points are the multiples of every since 1970, by the watermark;
// the end of the first entry at or after one is when it happens. The first watermark that is known gives nothing, it only begins.
type early struct {
	every int64         // ns; 0: nothing leaves before its end
	last  edged.Instant // the last point; zero before the first
}

// due reports whether a point has come by w.
func (e *early) due(w edged.Instant) bool {
	if e.every == 0 || w.IsZero() || w.Wall == never {
		return false
	}
	at := edged.Instant{Epoch: w.Epoch, Wall: window.FloorDiv(w.Wall, e.every) * e.every}
	begun := !e.last.IsZero()
	if begun && !e.last.Before(at) {
		return false
	}
	e.last = at
	return begun
}

// awaits is the earlier of what a state waits for and, if something has changed, the next point.
func (e *early) awaits(fresh bool, at edged.Instant, waits bool) (edged.Instant, bool) {
	if e.every == 0 || !fresh || e.last.IsZero() {
		return at, waits
	}
	if next := (edged.Instant{Epoch: e.last.Epoch, Wall: e.last.Wall + e.every}); !waits || next.Before(at) {
		return next, true
	}
	return at, waits
}

// appendHeader adds the last point to a checkpoint's header; there is none without emit_every.
func (e *early) appendHeader(b []byte) []byte {
	if e.every == 0 {
		return b
	}
	return binary.AppendVarint(binary.AppendUvarint(b, uint64(e.last.Epoch)), e.last.Wall)
}

func (e *early) readHeader(r *headerReader) {
	if e.every > 0 {
		e.last = edged.Instant{Epoch: uint32(r.uvarint()), Wall: r.varint()}
	}
}
