package blockstore

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/klauspost/compress/s2"
	"golang.org/x/time/rate"
)

// packedVersion is that of a block which is packed (docs/adr/0023-packed-blocks.md): behind its clear part it is in Snappy's block format.
const packedVersion = 3

const (
	clearLen   = headerLen + 16 + 8 // of any block: its header, and when it was cut, so that salvage can compare without unpacking
	packMost   = 1 << 20            // what is longer behind that is neither packed nor unpacked
	packFactor = 64/3 + 1           // what is unpacked is shorter than so many times what it was packed to: three bytes stand for 64 at most

	packTime  = 10 * time.Millisecond  // what packing may take in a second: a gateway that has more to pack is short of processor, not of card
	packSaved = 100 * time.Millisecond // how much of that may be saved up
)

// newPacking is the time that may be spent on packing, in nanoseconds.
func newPacking() *rate.Limiter { return rate.NewLimiter(rate.Limit(packTime), int(packSaved)) }

// packed packs a block that is not sealed yet, if it pays, the store's format knows it, and there is time for it: otherwise it returns it as it is.
func (s *Store) packed(b []byte) []byte {
	if s.meta.format < packedFormat || s.packing.Tokens() <= 0 {
		return b
	}
	began := time.Now()
	b = pack(b)
	s.packing.ReserveN(began, int(min(time.Since(began), packSaved)))
	return b
}

// pack packs a block that is not sealed yet, in its own memory, if it then takes an eighth less of the file at least.
func pack(b []byte) []byte {
	rest := b[clearLen:]
	if len(rest) > packMost {
		return b
	}
	buf := spareOf(s2.MaxEncodedLen(len(rest)))
	defer spares.Put(buf)
	small := s2.EncodeSnappy(buf.b, rest)
	plain := footprint(len(b) + 4)
	if footprint(clearLen+1+len(small)+4) > plain-plain/8 {
		return b
	}
	version := b[1]
	b[1] = packedVersion
	return append(append(b[:clearLen], version), small...)
}

// unpack unpacks what is behind a packed block's clear part: its version if it were not packed, and what stands behind the clear part then, which is valid until buf is given
// back. The caller has checked the CRC, but that is no reason to believe a length.
func unpack(b []byte) (version byte, rest []byte, buf *spare, err error) {
	if len(b) == 0 {
		return 0, nil, nil, errShort
	}
	version, b = b[0], b[1:]
	if version != entryVersion && version != extrasVersion {
		return 0, nil, nil, fmt.Errorf("what is packed has version %d, which is not known", version)
	}
	n, err := s2.DecodedLen(b)
	if err != nil || n > packMost || n > packFactor*len(b) {
		return 0, nil, nil, errPacked
	}
	buf = spareOf(n)
	if rest, err = s2.Decode(buf.b, b); err != nil {
		spares.Put(buf)
		return 0, nil, nil, errPacked
	}
	return version, rest, buf, nil
}

var errPacked = errors.New("what is packed cannot be unpacked")

// spare is memory in which a block is packed or unpacked. It is in use for the time of a call, and the collector takes what is not.
type spare struct{ b []byte }

var spares = sync.Pool{New: func() any { return new(spare) }}

// spareOf returns one with n bytes at least.
func spareOf(n int) *spare {
	s := spares.Get().(*spare)
	if cap(s.b) < n {
		s.b = make([]byte, n+min(n/4, 64<<10)) // the next one can be a little longer
	}
	s.b = s.b[:cap(s.b)]
	return s
}
