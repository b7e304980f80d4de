package blockstore

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"

	"edged"
)

// Bits of a block's mark.
const markUntrusted = 1 << 0 // the wall clock was not known to be synchronised

// boot says which run of the computer, and when in it, a block was cut: what is left to order blocks by if the wall clock
// was wrong.
type boot struct {
	id   [16]byte
	mono int64 // nanoseconds since the computer started
}

// appendBlock encodes a block as an entry that is not packed. FORMAT.md describes it.
func appendBlock(b []byte, h header, bt boot, blk *edged.Block) []byte {
	from := len(b)
	b = appendUnsealed(b, h, bt, blk)
	return append(b[:from], seal(b[from:])...)
}

// appendUnsealed is appendBlock without the CRC.
func appendUnsealed(b []byte, h header, bt boot, blk *edged.Block) []byte {
	h.kind, h.at = 'B', blk.Cut
	from := len(b)
	b = h.append(b)
	if len(blk.Extras) > 0 {
		b[from+1] = extrasVersion
	}
	b = append(b, bt.id[:]...)
	b = binary.LittleEndian.AppendUint64(b, uint64(bt.mono))
	mark := byte(0)
	if !blk.Trusted {
		mark |= markUntrusted
	}
	b = append(b, mark)
	b = appendStr(b, blk.Receiver)
	b = binary.AppendUvarint(b, uint64(len(blk.Topics)))
	for _, t := range blk.Topics {
		b = appendStr(b, t)
	}
	n := blk.Len()
	b = binary.AppendUvarint(b, uint64(n))
	for _, t := range blk.Topic {
		b = binary.AppendUvarint(b, uint64(t))
	}
	// Arrivals count back from the cut: small numbers, whatever the clock says.
	last := blk.Cut.Wall
	for i := n - 1; i >= 0; i-- {
		b = binary.AppendUvarint(b, uint64(last-blk.Arrival[i]))
		last = blk.Arrival[i]
	}
	b = append(b, blk.Flags...)
	end := uint32(0)
	for _, e := range blk.End {
		b = binary.AppendUvarint(b, uint64(e-end))
		end = e
	}
	b = binary.AppendUvarint(b, uint64(len(blk.Origins)))
	for _, o := range blk.Origins {
		b = binary.AppendUvarint(b, uint64(o.Index))
		b = binary.LittleEndian.AppendUint16(b, o.PacketID)
		b = appendStr(b, o.Client)
	}
	if len(blk.Extras) > 0 {
		b = binary.AppendUvarint(b, uint64(len(blk.Extras)))
		for _, x := range blk.Extras {
			b = binary.AppendUvarint(b, uint64(x.Index))
			b = appendStr(b, x.Data)
		}
	}
	return append(b, blk.Data...)
}

// decodeBlock reads an entry with a block, packed or not. The block shares nothing with b.
func decodeBlock(b []byte) (*edged.Block, error) {
	h, ok := readHeader(b)
	if !ok || h.kind != 'B' {
		return nil, fmt.Errorf("not a block of version %d", entryVersion)
	}
	body, err := unseal(b)
	if err != nil {
		return nil, err
	}
	if len(body) < clearLen {
		return nil, errShort
	}
	version, rest := b[1], body[clearLen:] // boot id and time before it are for people and salvage
	if version == packedVersion {
		var buf *spare
		if version, rest, buf, err = unpack(rest); err != nil {
			return nil, err
		}
		defer spares.Put(buf)
	}
	r := reader{b: rest}
	blk := &edged.Block{Seq: h.seq, Cut: h.at, Trusted: r.byte()&markUntrusted == 0, Receiver: r.str()}
	blk.Topics = r.strs(r.count())
	n := r.count()
	blk.Topic = column[uint32](&r, n)
	for _, t := range blk.Topic {
		if t >= uint32(len(blk.Topics)) {
			r.fail()
		}
	}
	blk.Arrival = column[int64](&r, n)
	slices.Reverse(blk.Arrival)
	last := blk.Cut.Wall
	for i, before := range slices.Backward(blk.Arrival) {
		last -= before
		blk.Arrival[i] = last
	}
	blk.Flags = append([]uint8(nil), r.bytes(uint64(n))...)
	blk.End = column[uint32](&r, n)
	end := uint64(0)
	for i, size := range blk.End {
		end += uint64(size)
		blk.End[i] = uint32(end)
	}
	if k := r.count(); k > 0 {
		blk.Origins = make([]edged.BlockOrigin, k)
		for i := range blk.Origins {
			o := &blk.Origins[i]
			o.Index = uint32(r.uvarint())
			if p := r.bytes(2); p != nil {
				o.PacketID = binary.LittleEndian.Uint16(p)
			}
			o.Client = r.str()
		}
	}
	if version == extrasVersion {
		blk.Extras = make([]edged.BlockExtra, r.count())
		for i := range blk.Extras {
			blk.Extras[i].Index = uint32(r.uvarint())
			blk.Extras[i].Data = bytes.Clone(r.bytes(r.uvarint()))
		}
	}
	if r.err == nil && uint64(len(r.b)) != end {
		r.err = fmt.Errorf("%d bytes of payload where %d are announced", len(r.b), end)
	}
	if r.err != nil {
		return nil, r.err
	}
	blk.Data = append([]byte(nil), r.b...)
	return blk, nil
}
