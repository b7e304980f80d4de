package batches

import (
	"encoding/binary"
	"errors"

	"edged"
	"edged/internal/rowcodec"
)

// A held row in a checkpoint. Whether it is complete, the watermark says.

// signBit has times before 1970 sort before the others.
const signBit = 1 << 63

func (h *heldRow) appendID(b []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, h.epoch)
	b = binary.BigEndian.AppendUint64(b, uint64(h.at)^signBit)
	return binary.BigEndian.AppendUint64(append(b, byte(h.side)), h.n)
}

func (h *heldRow) append(b []byte) []byte {
	flags := byte(0)
	for i, f := range []bool{h.met, h.trusted, h.retain} {
		if f {
			flags |= 1 << i
		}
	}
	b = append(b, recordVersion, flags, h.qos)
	b = binary.AppendUvarint(b, uint64(h.arrived))
	for _, text := range []string{h.key, h.topic} {
		b = append(binary.AppendUvarint(b, uint64(len(text))), text...)
	}
	b = rowcodec.AppendValue(b, h.shown)
	for _, v := range h.cells {
		b = rowcodec.AppendValue(b, v)
	}
	return b
}

var errHeld = errors.New("it is no row of the join")

// readHeld reads a row that has so many cells of each side.
func readHeld(id string, value []byte, cells [2]int) (*heldRow, error) {
	if len(id) != 21 || id[12] > theirs {
		return nil, errHeld
	}
	at := headerReader{b: []byte(id)}
	h := &heldRow{saved: true}
	h.epoch = binary.BigEndian.Uint32(at.take(4))
	h.at = int64(binary.BigEndian.Uint64(at.take(8)) ^ signBit)
	h.side = int(at.take(1)[0])
	h.n = binary.BigEndian.Uint64(at.take(8))
	r := headerReader{b: value}
	version, flags := r.take(1)[0], r.take(1)[0]
	h.qos, h.arrived = r.take(1)[0], uint32(r.uvarint())
	h.met, h.trusted, h.retain = flags&1 != 0, flags&2 != 0, flags&4 != 0
	h.key, h.topic = string(r.take(r.uvarint())), string(r.take(r.uvarint()))
	if r.err != nil || version != recordVersion || flags > 7 {
		return nil, errHeld
	}
	values := rowcodec.Reader{B: r.b}
	h.shown = own(values.Value())
	for range cells[h.side] {
		h.cells = append(h.cells, own(values.Value()))
	}
	if values.Err != nil || len(values.B) > 0 {
		return nil, errHeld
	}
	h.size = h.memory()
	return h, nil
}

// changes adds what has changed since the last checkpoint.
func (s *held) changes(put func(key string, value []byte)) {
	for _, id := range s.gone {
		put(id, nil)
	}
	s.gone = nil
	for _, h := range s.order {
		if h.dirty {
			put(h.id(), h.append(nil))
			h.dirty, h.saved = false, true
		}
	}
}

// load takes a row of the checkpoint back.
func (s *held) load(key string, value []byte, err error) loss {
	if err != nil {
		return unknown
	}
	h, err := readHeld(key[1:], value, [2]int{len(s.j.keep), len(s.j.fields)})
	if err != nil {
		return unknown
	}
	s.put(h)
	s.n = max(s.n, h.n)
	return nothing
}

// loadEnd says how far the watermark had come.
func (s *held) loadEnd(w edged.Instant) {
	for s.done = 0; s.done < len(s.order) && s.order[s.done].when().Before(w); {
		s.done++
	}
}
