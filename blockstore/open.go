package blockstore

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"runtime/debug"
	"slices"

	"edged"

	"github.com/VictoriaMetrics/metrics"
	"go.etcd.io/bbolt"
)

// FileName is the store's file in the data directory.
const FileName = "edged.db"

// Open opens the store in a directory that exists, or makes it. It reads the structure of the file, the ends of the logs, the
// cursors and the values, not the blocks: memory does not grow with the backlog.
//
// A file whose structure is damaged is salvaged into a new one first, and set aside; of single values that are damaged the bytes
// are set aside. Notes says so, also after later starts.
func Open(dir string, cfg *Config, log *slog.Logger, set *metrics.Set) (*Store, error) {
	s := &Store{
		cfg: *cfg, log: log, path: filepath.Join(dir, FileName), boot: bootID(), pace: newPace(cfg), meter: newMeter(set),
		ends: map[string]logEnd{}, changed: make(chan struct{}), unreadable: map[entryName]bool{},
		packing: newPacking(), shelf: usualShelf,
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
	f, err := takeFile(dir, s.log)
	if err != nil {
		return err
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if v := recover(); v != nil { // the file was looked at: this is a disk that fails now
			f.Close()
			err = fmt.Errorf("the store %s cannot be opened: %v", s.path, v)
		}
	}()
	fi, err := f.Stat()
	if err != nil {
		f.Close()
		return err
	}
	size := max(int64(s.cfg.MaxBytes), fi.Size())
	db, err := openDB(f, bbolt.Options{InitialMmapSize: int(size), MaxSize: int(s.cfg.MaxBytes)})
	if err != nil {
		return fmt.Errorf("the store %s cannot be opened: %w", s.path, err)
	}
	db.AllocSize = allocStep
	s.db = newDatabase(db, f)
	return nil
}

func bucket(tx *bbolt.Tx, name []byte) (*bbolt.Bucket, error) {
	if b := tx.Bucket(name); b != nil {
		return b, nil
	}
	return nil, fmt.Errorf("its bucket %s is missing", name)
}

// load reads what the committer and the readers start from.
func (s *Store) load() (err error) {
	if err := s.view(s.loadMeta); err != nil {
		return err
	}
	if err := s.upgrade(); err != nil {
		return err
	}
	if s.meta.format >= sealedFormat {
		if err := s.db.begin(); err != nil {
			return fmt.Errorf("the store %s cannot be written: %w", s.path, err)
		}
	}
	if err := s.mend(); err != nil {
		return err
	}
	if err := s.view(func(tx *bbolt.Tx) error {
		s.loadNotes(tx)
		s.loadResultEnds(tx)
		s.loadLog(tx)
		return nil
	}); err != nil {
		return err
	}
	for _, c := range s.pub.cursors { // numbers are never reused, even if the log behind a cursor is gone
		if c.Log == "" {
			s.next = max(s.next, c.Need.Highest())
			continue
		}
		end := s.ends[c.Log]
		end.next = max(end.next, c.Need.Highest())
		s.ends[c.Log] = end
	}
	s.next = s.meta.floor(s.next)
	for stream, end := range s.ends {
		end.next = s.meta.floor(end.next)
		s.ends[stream], s.pub.results[stream] = end, end
	}
	if s.next > 1 && (s.lastTick == nil || s.lastTick.Seq+1 < s.next) { // the end was lost: what is known stands there
		s.lastTick, s.untold = s.totals.tick(s.next-1), true
	}
	s.pub.end, s.pub.cum, s.pub.tick = s.next, s.cum, s.lastTick
	return nil
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
		v := resultEntry(tx, last)
		h, _ := headerOf(v) // its time can be that of payloads: the clock does not go on from there
		s.ends[stream] = logEnd{seqOf(last) + 1, h.start + uint64(len(v))}
	}
}

// loadLog finds the end of the block log and its newest tick that can be read. Usually that is the newest entry; if not, the
// blocks behind it are counted anew, here for the receivers and in SetRouter for the streams.
func (s *Store) loadLog(tx *bbolt.Tx) {
	s.atTop, _ = s.shelf.look(tx, 0)
	c := newLogCursor(tx)
	var behind []uint64
	for ok := c.Last(); ok; ok = c.Prev() {
		seq, v := c.Seq(), c.Value()
		s.next = max(s.next, seq+1)
		if h, ok := headerOf(v); ok {
			if s.cum == 0 {
				s.cum = h.start + footprint(len(v))
			}
			s.seen = laterOf(s.seen, h.at)
		}
		e := readEntry(seq, v)
		if e.Tick != nil {
			s.lastTick = e.Tick
			s.totals.load(e.Tick)
			break
		}
		behind = append(behind, seq)
	}
	if len(behind) > 0 {
		slices.Reverse(behind)
		s.recount(tx, behind)
	}
}

// recount brings the totals up to blocks behind the newest tick that can be read. What the damaged tick said of refused messages is lost.
func (s *Store) recount(tx *bbolt.Tx, behind []uint64) {
	for _, seq := range behind {
		if e := readEntry(seq, logEntry(tx, seq)); e.Block != nil {
			s.totals.stored(e.Block)
			r := &s.totals.receivers[s.totals.receiver(e.Block.Receiver)]
			r.Cut = laterOf(r.Cut, e.Block.Cut)
		}
	}
	s.uncounted, s.untold = behind, true
	s.lastTick = s.totals.tick(s.next - 1)
	s.log.Warn("the newest tick of the log cannot be read: the totals are those of the one before, and of the blocks since", "file", s.path, "entries", len(behind))
}

// recountStreams is the streams' part of it.
func (s *Store) recountStreams() {
	for _, seq := range s.uncounted {
		if e, ok, err := s.Next(seq); err == nil && ok && e.Seq == seq && e.Block != nil {
			s.router.Count(e.Block, s.totals.routed)
		}
	}
	if len(s.uncounted) > 0 {
		s.uncounted = nil
		s.lastTick = s.totals.tick(s.next - 1)
		s.publish(func(p *published) { p.tick = s.lastTick })
	}
}

func laterOf(a, b edged.Instant) edged.Instant {
	if a.Before(b) {
		return b
	}
	return a
}
