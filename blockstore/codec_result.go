package blockstore

import (
	"encoding/binary"
	"fmt"

	"edged"
)

// appendResult encodes a result log's entry.
func appendResult(b []byte, h header, res *edged.Result) []byte {
	h.kind, h.at = 'R', res.Watermark
	from := len(b)
	b = h.append(b)
	b = binary.AppendUvarint(b, res.Cause)
	b = binary.AppendUvarint(b, uint64(res.Rows))
	b = append(b, res.Data...)
	return append(b[:from], seal(b[from:])...)
}

// decodeResult reads an entry written by appendResult. Data is a copy.
func decodeResult(stream string, seq uint64, b []byte) (edged.Result, error) {
	h, ok := readHeader(b)
	if !ok || h.kind != 'R' || h.seq != seq {
		return edged.Result{}, fmt.Errorf("result %d of stream %s is damaged: its header cannot be read", seq, stream)
	}
	body, err := unseal(b)
	if err != nil {
		return edged.Result{}, fmt.Errorf("result %d of stream %s is damaged: %w", seq, stream, err)
	}
	r := reader{b: body[headerLen:]}
	res := edged.Result{Stream: stream, Seq: seq, Cause: r.uvarint(), Watermark: h.at, Rows: uint32(r.uvarint())}
	res.Data = append([]byte(nil), r.b...)
	return res, r.err
}

// lostCursor is the version of a cursor that stands for one whose value was damaged.
const lostCursor = 0xff

// appendCursor encodes a cursor's value; its name is the key.
func appendCursor(b []byte, c *edged.Cursor) []byte {
	kind := byte(entryVersion)
	if c.Lost {
		kind = lostCursor
	}
	b = append(b, kind)
	b = appendStr(b, c.Log)
	b = binary.AppendUvarint(b, uint64(len(c.Need)))
	for _, sp := range c.Need {
		b = binary.LittleEndian.AppendUint64(b, sp.From)
		b = binary.LittleEndian.AppendUint64(b, sp.To)
	}
	return sealIn(string(cursorsBucket), c.Name, append(b, c.Data...))
}

// decodeCursor reads a value written by appendCursor. Data is a copy.
func decodeCursor(name string, b []byte) (edged.Cursor, error) {
	body, err := unsealIn(string(cursorsBucket), name, b)
	if err != nil {
		return edged.Cursor{}, fmt.Errorf("cursor %s is damaged: %w", name, err)
	}
	return cursorOf(name, body)
}

// cursorOf reads a cursor's value without its CRC. Data is a copy.
func cursorOf(name string, body []byte) (edged.Cursor, error) {
	r := reader{b: body}
	v := r.byte()
	if v != entryVersion && v != lostCursor {
		return edged.Cursor{}, fmt.Errorf("cursor %s has version %d, this edged reads %d", name, v, entryVersion)
	}
	c := edged.Cursor{Name: name, Log: r.str(), Lost: v == lostCursor}
	n := r.count()
	for range n {
		c.Need = append(c.Need, edged.Span{From: r.u64(), To: r.u64()})
	}
	if r.err != nil {
		return edged.Cursor{}, fmt.Errorf("cursor %s is damaged: %w", name, r.err)
	}
	c.Data = append([]byte(nil), r.b...)
	return c, nil
}
