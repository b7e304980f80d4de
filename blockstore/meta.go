package blockstore

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/bbolt"
)

// formatVersion is that of FORMAT.md. A store of a newer version is refused, an older one is upgraded when it is opened.
const (
	formatVersion = 4
	packedFormat  = 3 // the first that knows packed blocks
	sealedFormat  = 4 // the first that seals transactions
)

// The keys of the bucket Tmeta.
const (
	keyFormat = "format"
	keyUUID   = "uuid"
	keyMade   = "made"
	keyEra    = "era" // see numbers.go
	keyLost   = "cursors_lost"
)

// meta is what the bucket Tmeta says.
type meta struct {
	format uint32
	uuid   [16]byte
	made   int64 // ns since 1970
	era    uint64
	lost   bool // names of cursors may have been lost when the store was salvaged
}

func newMeta() meta {
	m := meta{format: formatVersion, made: time.Now().UnixNano()}
	rand.Read(m.uuid[:])
	m.uuid[6], m.uuid[8] = m.uuid[6]&0x0f|0x40, m.uuid[8]&0x3f|0x80
	return m
}

func (m *meta) name() string {
	id := m.uuid
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}

func (m *meta) put(tx *bbolt.Tx) error {
	b, err := tx.CreateBucketIfNotExists(metaBucket)
	if err != nil {
		return err
	}
	le := binary.LittleEndian
	set := func(key string, v []byte) error {
		return b.Put([]byte(key), sealIn(string(metaBucket), key, v))
	}
	lost := byte(0)
	if m.lost {
		lost = 1
	}
	return errors.Join(
		set(keyFormat, le.AppendUint32(nil, m.format)), set(keyUUID, m.uuid[:]), set(keyMade, le.AppendUint64(nil, uint64(m.made))),
		set(keyEra, le.AppendUint64(nil, m.era)), set(keyLost, []byte{lost}),
	)
}

// get reads a value of the bucket. Those of format 1 are sealed without their key.
func (m *meta) get(key string, v []byte) error {
	b, err := unsealIn(string(metaBucket), key, v)
	if err != nil {
		if b, err = unseal(v); err != nil {
			return fmt.Errorf("its %s cannot be read: %w", key, err)
		}
	}
	le := binary.LittleEndian
	switch {
	case key == keyFormat && len(b) == 4:
		m.format = le.Uint32(b)
	case key == keyUUID && len(b) == 16:
		m.uuid = [16]byte(b)
	case key == keyMade && len(b) == 8:
		m.made = int64(le.Uint64(b))
	case key == keyEra && len(b) == 8:
		m.era = le.Uint64(b)
	case key == keyLost && len(b) == 1:
		m.lost = b[0] != 0
	}
	return nil
}

func formatOf(v []byte) (uint32, bool) {
	var m meta
	err := m.get(keyFormat, v)
	return m.format, err == nil && m.format != 0
}

func plausibleUUID(v []byte) bool {
	var m meta
	return m.get(keyUUID, v) == nil && m.uuid != [16]byte{}
}

// makeMeta gives a new file its buckets, its format version and its name.
func makeMeta(db *bbolt.DB, m meta) error {
	return db.Update(func(tx *bbolt.Tx) error {
		if _, err := tx.CreateBucketIfNotExists(cursorsBucket); err != nil {
			return err
		}
		return m.put(tx)
	})
}

// loadMeta reads the bucket. A missing or damaged format or UUID was found before: inspect looks at them.
func (s *Store) loadMeta(tx *bbolt.Tx) error {
	b, err := bucket(tx, metaBucket)
	if err != nil {
		return err
	}
	if err := b.ForEach(func(k, v []byte) error {
		if err := s.meta.get(string(k), v); err != nil {
			s.log.Warn("a value of the store's own cannot be read, and is not used", "file", s.path, "key", string(k), "error", err)
		}
		return nil
	}); err != nil {
		return err
	}
	s.uuid = s.meta.name()
	return nil
}
