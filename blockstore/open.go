package blockstore

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"edged"
	"edged/internal/durable"

	"github.com/VictoriaMetrics/metrics"
	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// FileName is the store's file in the data directory.
const FileName = "edged.db"

// formatVersion is that of FORMAT.md. A store of a newer version is refused; older ones will be upgraded here.
const formatVersion = 1

// Open opens the store in a directory that exists, or makes it. It reads the ends of the logs and the cursors, not the
// blocks: memory does not grow with the backlog.
func Open(dir string, cfg *Config, log *slog.Logger, set *metrics.Set) (*Store, error) {
	s := &Store{
		cfg: *cfg, log: log, path: filepath.Join(dir, FileName), boot: bootID(), pace: newPace(cfg), meter: newMeter(set),
		acks: make(chan finished, 64), ends: map[string]logEnd{}, changed: make(chan struct{}),
	}
	s.pub.results, s.pub.cursors, s.pub.cache = map[string]logEnd{}, map[string]edged.Cursor{}, newCache(int64(cfg.MemoryCache))
	if err := s.openFile(dir); err != nil {
		return nil, err
	}
	if err := s.load(); err != nil {
		s.db.Close()
		return nil, err
	}
	s.registerGauges(set)
	return s, nil
}

func (s *Store) openFile(dir string) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if v := recover(); v != nil { // the library checks some of a file's structure by panicking
			err = s.damaged(fmt.Errorf("%v", v))
		}
	}()
	size := int64(s.cfg.MaxBytes)
	_, statErr := os.Stat(s.path)
	if fi, err := os.Stat(s.path); err == nil {
		size = max(size, fi.Size())
	}
	s.db, err = bbolt.Open(s.path, 0o640, &bbolt.Options{
		Timeout: time.Second, PageSize: pageSize, InitialMmapSize: int(size), MaxSize: int(s.cfg.MaxBytes),
		NoFreelistSync: true, FreelistType: bbolt.FreelistMapType, NoSync: !durable.Syncs,
	})
	switch {
	case err == nil:
	case errors.Is(err, berrors.ErrTimeout):
		return fmt.Errorf("the store %s is in use: is another edged running with this data_dir? (systemctl status edged)", s.path)
	case errors.Is(err, berrors.ErrInvalid), errors.Is(err, berrors.ErrChecksum), errors.Is(err, berrors.ErrVersionMismatch):
		return s.damaged(err)
	default:
		return fmt.Errorf("the store cannot be opened: %w", err)
	}
	s.db.AllocSize = allocStep
	if errors.Is(statErr, os.ErrNotExist) {
		return syncDir(dir) // the file itself was synced when it was made; its name is not until now
	}
	return nil
}

func (s *Store) damaged(err error) error {
	return fmt.Errorf("the store %s is damaged (%w): edged leaves it as it is and does not start; move the file aside to begin with an empty store", s.path, err)
}

func bucket(tx *bbolt.Tx, name []byte) (*bbolt.Bucket, error) {
	if b := tx.Bucket(name); b != nil {
		return b, nil
	}
	return nil, fmt.Errorf("its bucket %s is missing", name)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return durable.Sync(d)
}

// load reads what the committer and the readers start from.
func (s *Store) load() (err error) {
	if err := s.makeMeta(); err != nil {
		return err
	}
	err = s.view(func(tx *bbolt.Tx) error {
		if err := s.loadMeta(tx); err != nil {
			return err
		}
		if err := s.loadCursors(tx); err != nil {
			return err
		}
		s.loadResultEnds(tx)
		s.loadLog(tx)
		return nil
	})
	for _, c := range s.pub.cursors { // numbers are never reused, even if the log behind a cursor is gone
		if c.Log == "" {
			s.next = max(s.next, c.Need.Highest())
			continue
		}
		end := s.ends[c.Log]
		end.next = max(end.next, c.Need.Highest())
		s.ends[c.Log] = end
	}
	s.next = max(s.next, 1)
	for stream, end := range s.ends {
		s.pub.results[stream] = end
	}
	s.pub.end, s.pub.cum, s.pub.tick = s.next, s.cum, s.lastTick
	return err
}

// makeMeta gives a new file its format version and its name.
func (s *Store) makeMeta() error {
	return s.db.Update(func(tx *bbolt.Tx) error {
		if tx.Bucket(metaBucket) != nil {
			return nil
		}
		meta, err := tx.CreateBucket(metaBucket)
		if err != nil {
			return err
		}
		if _, err := tx.CreateBucket(cursorsBucket); err != nil {
			return err
		}
		id := make([]byte, 16)
		rand.Read(id)
		id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
		made := binary.LittleEndian.AppendUint64(nil, uint64(time.Now().UnixNano()))
		return errors.Join(
			meta.Put([]byte("format"), seal(binary.LittleEndian.AppendUint32(nil, formatVersion))),
			meta.Put([]byte("uuid"), seal(id)),
			meta.Put([]byte("made"), seal(made)),
		)
	})
}

func (s *Store) loadMeta(tx *bbolt.Tx) error {
	meta, err := bucket(tx, metaBucket)
	if err != nil {
		return s.damaged(err)
	}
	v, err := unseal(meta.Get([]byte("format")))
	if err != nil || len(v) != 4 {
		return s.damaged(fmt.Errorf("its format version cannot be read"))
	}
	if f := binary.LittleEndian.Uint32(v); f > formatVersion {
		return fmt.Errorf("the store %s has format %d, made by a newer edged; this one reads up to %d: install the newer edged again, or give this one another data_dir", s.path, f, formatVersion)
	}
	id, err := unseal(meta.Get([]byte("uuid")))
	if err != nil || len(id) != 16 {
		return s.damaged(fmt.Errorf("its UUID cannot be read"))
	}
	s.uuid = fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
	return nil
}

func (s *Store) loadCursors(tx *bbolt.Tx) error {
	b, err := bucket(tx, cursorsBucket)
	if err != nil {
		return s.damaged(err)
	}
	return b.ForEach(func(k, v []byte) error {
		c, err := decodeCursor(string(k), v)
		if err != nil {
			return s.damaged(err)
		}
		s.pub.cursors[c.Name] = c
		return nil
	})
}

// loadResultEnds finds the end of each result log by its last key.
func (s *Store) loadResultEnds(tx *bbolt.Tx) {
	c := tx.Cursor()
	k, _ := c.Seek([]byte{resultPrefix})
	for {
		name, _, ok := splitResultKey(k)
		if !ok {
			return
		}
		stream := string(name)
		var last []byte
		if k, _ = c.Seek(append(resultKey(stream, edged.Forever), 0)); k == nil { // the log ends with the file's last key
			last, _ = c.Last()
		} else {
			last, _ = c.Prev()
			k, _ = c.Next()
		}
		v := tx.Bucket(last).Get(valueKey)
		h, _ := readHeader(v)
		s.ends[stream] = logEnd{seqOf(last) + 1, h.start + uint64(len(v))}
	}
}

// loadLog finds the end of the block log and its newest tick.
func (s *Store) loadLog(tx *bbolt.Tx) {
	c := tx.Cursor()
	k, _ := c.Seek(append(logKey(edged.Forever), 0))
	if k == nil {
		k, _ = c.Last()
	} else {
		k, _ = c.Prev()
	}
	for ; k != nil && isLogKey(k); k, _ = c.Prev() {
		v := tx.Bucket(k).Get(valueKey)
		seq := seqOf(k)
		if seq >= s.next {
			s.next = seq + 1
		}
		if h, ok := readHeader(v); ok && s.cum == 0 {
			s.cum = h.start + uint64(len(v))
		}
		var e edged.Entry
		if e = decodeEntry(seq, v); e.Tick != nil {
			s.lastTick = e.Tick
			s.totals.load(e.Tick)
			return
		}
	}
}
