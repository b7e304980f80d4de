package blockstore

import (
	"bytes"
	"encoding/binary"
)

// The keys of the file's top level. Each log entry is a bucket of its own with one value: a bucket with a key an entry
// would rewrite its neighbours' pages, 7 to 11 bytes for each byte stored. The letters keep what one commit touches
// together: the end of the block log, and the small buckets behind it, share a page. Of the block log only the newest entries stand there; the older ones
// stand on the shelf, each under the same key.
const (
	logPrefix    = 'L' // L + sequence number: the newest of the block log
	resultPrefix = 'R' // R + stream + NUL + sequence number: a result log
	spacePrefix  = 'S' // S + space: a bucket of puts
	ownPrefix    = 'T' // the store's own buckets
)

var (
	cursorsBucket = []byte("Tcursors")
	metaBucket    = []byte("Tmeta")
	asideBucket   = []byte("Taside") // what was damaged, and what was done about it
	shelfBucket   = []byte("Tlog")   // the older entries of the block log: each number is below every one at the top level
	valueKey      = []byte("v")
	apartKey      = []byte("\x00apart")   // in a space: an empty bucket, because of which the library gives the space pages of its own, however small it is
	behindLog     = []byte{logPrefix + 1} // above every key of the block log at the top level
)

func logKey(seq uint64) []byte {
	k := make([]byte, 9)
	k[0] = logPrefix
	binary.BigEndian.PutUint64(k[1:], seq)
	return k
}

func isLogKey(k []byte) bool { return len(k) == 9 && k[0] == logPrefix }

func resultKey(stream string, seq uint64) []byte {
	k := make([]byte, 0, len(stream)+10)
	k = append(k, resultPrefix)
	k = append(k, stream...)
	k = append(k, 0)
	return binary.BigEndian.AppendUint64(k, seq)
}

// splitResultKey returns the stream and number of a result key, or false if k is none.
func splitResultKey(k []byte) (stream []byte, seq uint64, ok bool) {
	if len(k) < 10 || k[0] != resultPrefix || k[len(k)-9] != 0 {
		return nil, 0, false
	}
	return k[1 : len(k)-9], seqOf(k), true
}

// seqOf returns the number at the end of a log or result key.
func seqOf(k []byte) uint64 { return binary.BigEndian.Uint64(k[len(k)-8:]) }

func isResultOf(k []byte, stream string) bool {
	name, _, ok := splitResultKey(k)
	return ok && bytes.Equal(name, []byte(stream))
}

func spaceKey(space string) []byte { return append([]byte{spacePrefix}, space...) }
