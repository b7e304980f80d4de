package blockstore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"edged"
)

// Every value in the file ends with a CRC32C of the bytes before it, little-endian.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func seal(b []byte) []byte { return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli)) }

// sealIn seals a value of a bucket under its key: the CRC goes over both, too, so that a damaged key or name of a bucket does
// not bring a value under a wrong name. Log entries do not need it: they say their number themselves.
func sealIn(bucket, key string, b []byte) []byte {
	return binary.LittleEndian.AppendUint32(b, sumIn(bucket, key, b))
}

func sumIn(bucket, key string, b []byte) uint32 {
	sum := crc32.Update(crc32.Checksum(b, castagnoli), castagnoli, []byte(bucket))
	return crc32.Update(crc32.Update(sum, castagnoli, []byte{0}), castagnoli, []byte(key))
}

// unsealIn checks a value that sealIn sealed, and returns what is before the CRC.
func unsealIn(bucket, key string, b []byte) ([]byte, error) {
	if len(b) < 4 {
		return nil, fmt.Errorf("%d bytes are too short for a value", len(b))
	}
	body := b[:len(b)-4]
	if sumIn(bucket, key, body) != binary.LittleEndian.Uint32(b[len(b)-4:]) {
		return nil, errChecksum
	}
	return body, nil
}

var errChecksum = errors.New("checksum does not match")

// unseal checks the CRC and returns what is before it.
func unseal(b []byte) ([]byte, error) {
	if len(b) < 4 {
		return nil, fmt.Errorf("%d bytes are too short for a value", len(b))
	}
	body := b[:len(b)-4]
	if crc32.Checksum(body, castagnoli) != binary.LittleEndian.Uint32(b[len(b)-4:]) {
		return nil, errChecksum
	}
	return body, nil
}

// header begins every log entry.
type header struct {
	kind  byte // 'B' block, 'T' tick, 'R' result
	seq   uint64
	start uint64        // bytes of this log's entries before this one, since the store was made
	at    edged.Instant // block: its cut; tick: its latest cut; result: the watermark
}

const (
	entryVersion  = 1
	extrasVersion = 2 // of blocks with extras, and of ticks with chained streams; everything else is still written as version 1
	headerLen     = 1 + 1 + 8 + 8 + 4 + 8
)

func (h *header) append(b []byte) []byte {
	b = append(b, h.kind, entryVersion)
	b = binary.LittleEndian.AppendUint64(b, h.seq)
	b = binary.LittleEndian.AppendUint64(b, h.start)
	b = binary.LittleEndian.AppendUint32(b, h.at.Epoch)
	return binary.LittleEndian.AppendUint64(b, uint64(h.at.Wall))
}

// readHeader reads an entry's header without checking its CRC.
func readHeader(b []byte) (h header, ok bool) {
	if len(b) < headerLen+4 || b[1] != entryVersion && (b[1] != extrasVersion || b[0] == 'R') && (b[1] != packedVersion || b[0] != 'B') {
		return h, false
	}
	return header{
		kind: b[0], seq: binary.LittleEndian.Uint64(b[2:]), start: binary.LittleEndian.Uint64(b[10:]),
		at: edged.Instant{Epoch: binary.LittleEndian.Uint32(b[18:]), Wall: int64(binary.LittleEndian.Uint64(b[22:]))},
	}, true
}

// reader takes values off the front of a checked body. After the first failure all of its methods return zero values.
type reader struct {
	b   []byte
	err error
}

var errShort = errors.New("it ends too early")

func (r *reader) fail() {
	if r.err == nil {
		r.err = errShort
	}
	r.b = nil
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) bytes(n uint64) []byte {
	if n > uint64(len(r.b)) {
		r.fail()
		return nil
	}
	p := r.b[:n:n]
	r.b = r.b[n:]
	return p
}

func (r *reader) u32() uint32 {
	if p := r.bytes(4); p != nil {
		return binary.LittleEndian.Uint32(p)
	}
	return 0
}

func (r *reader) u64() uint64 {
	if p := r.bytes(8); p != nil {
		return binary.LittleEndian.Uint64(p)
	}
	return 0
}

func (r *reader) byte() byte {
	if p := r.bytes(1); p != nil {
		return p[0]
	}
	return 0
}

func (r *reader) str() string { return string(r.bytes(r.uvarint())) }

// count reads a number of things of at least one byte each, so that a damaged number cannot ask for much memory.
func (r *reader) count() int {
	n := r.uvarint()
	if n > uint64(len(r.b)) {
		r.fail()
		return 0
	}
	return int(n)
}

// strs reads n texts, which share one memory.
func (r *reader) strs(n int) []string {
	rest := *r
	for range n {
		rest.bytes(rest.uvarint())
	}
	all, out := string(r.b[:len(r.b)-len(rest.b)]), make([]string, n)
	for i := range out {
		k := len(r.bytes(r.uvarint()))
		end := len(all) - (len(r.b) - len(rest.b))
		out[i] = all[end-k : end]
	}
	return out
}

// column reads n numbers.
func column[T uint32 | int64](r *reader, n int) []T {
	out, b := make([]T, n), r.b
	for i := range out {
		v, size := binary.Uvarint(b)
		if size <= 0 || uint64(T(v)) != v {
			r.fail()
			return out
		}
		out[i], b = T(v), b[size:]
	}
	r.b = b
	return out
}

func (r *reader) instant() edged.Instant {
	e := r.u32()
	return edged.Instant{Epoch: e, Wall: int64(r.u64())}
}

func appendStr[T string | []byte](b []byte, s T) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

func appendInstant(b []byte, at edged.Instant) []byte {
	b = binary.LittleEndian.AppendUint32(b, at.Epoch)
	return binary.LittleEndian.AppendUint64(b, uint64(at.Wall))
}
