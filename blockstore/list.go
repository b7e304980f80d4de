package blockstore

import (
	"cmp"
	"slices"
	"strings"

	"edged"

	"go.etcd.io/bbolt"
)

// Listing is what is in a store.
type Listing struct {
	File    string       `json:"file"`
	UUID    string       `json:"uuid"`
	Format  uint32       `json:"format"`
	Bytes   int64        `json:"bytes"`            // of the file
	Damage  string       `json:"damage,omitempty"` // of its structure
	Logs    []LogInfo    `json:"logs"`
	Cursors []CursorInfo `json:"cursors"`
	Spaces  []SpaceInfo  `json:"spaces"`
	Notes   []Note       `json:"notes,omitempty"`
}

// LogInfo is a log: the block log, whose name is "", or a stream's results.
type LogInfo struct {
	Name    string `json:"name"`
	First   uint64 `json:"first"`
	Last    uint64 `json:"last"`
	Entries int    `json:"entries"`
	Bytes   int64  `json:"bytes"`
	HeldBy  string `json:"held_by,omitempty"` // the cursor that needs its oldest entry
}

// CursorInfo is a consumer's progress.
type CursorInfo struct {
	Name  string `json:"name"`
	Log   string `json:"log"`
	From  uint64 `json:"from"` // the first entry that it needs; 0: none
	Holds int64  `json:"holds"`
	Lost  bool   `json:"lost,omitempty"`
}

// SpaceInfo is a bucket of values.
type SpaceInfo struct {
	Name    string `json:"name"`
	Values  int    `json:"values"`
	Bytes   int64  `json:"bytes"`
	Damaged int    `json:"damaged,omitempty"`
}

// stretch is how many keys are read in one transaction: an old one keeps pages from being used again.
const stretch = 256

// keysOf calls each for every entry of the block log and every other key of the top level but the shelf, with the bucket in which it stands, in short
// transactions. Between two of them entries are moved to the shelf: the log is gone through by numbers.
func (s *Store) keysOf(each func(in *bbolt.Bucket, k []byte)) error {
	seq, last, more := uint64(0), behindLog, true
	for more {
		if err := s.view(func(tx *bbolt.Tx) error {
			l := newLogCursor(tx)
			n, ok := 0, l.Seek(seq)
			for ; ok && n < stretch; n, ok = n+1, l.Next() {
				each(l.in[l.at], l.k)
				seq = l.Seq() + 1
			}
			more = ok
			return nil
		}); err != nil {
			return err
		}
	}
	for more = true; more; {
		if err := s.view(func(tx *bbolt.Tx) error {
			c := tx.Cursor()
			k, _ := c.Seek(last)
			if string(k) == string(last) {
				k, _ = c.Next()
			}
			last = append([]byte(nil), last...)
			for n := 0; k != nil && n < stretch; n++ {
				if string(k) != string(shelfBucket) {
					each(c.Bucket(), k)
				}
				last = append(last[:0], k...)
				k, _ = c.Next()
			}
			more = k != nil
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

// List lists what is in the store, beside whatever it does.
func (s *Store) List() (Listing, error) {
	sp := s.Space()
	l := Listing{File: s.path, UUID: s.uuid, Format: s.meta.format, Bytes: sp.File, Notes: s.Notes()}
	logs := map[string]*LogInfo{}
	err := s.keysOf(func(in *bbolt.Bucket, k []byte) {
		if log, seq, ok := entryKey(k); ok {
			note(logs, log, seq, int64(len(valueIn(in, k))))
			return
		}
		if k[0] != spacePrefix {
			return
		}
		info := SpaceInfo{Name: string(k[1:])}
		_ = eachValue(in.Bucket(k), func(key, v []byte) error {
			info.add(string(k), string(key), v)
			return nil
		})
		l.Spaces = append(l.Spaces, info)
	})
	for _, c := range s.Cursors() {
		l.Cursors = append(l.Cursors, cursorInfo(c, s.Pending(c.Log, c.Need)))
	}
	l.finish(logs)
	return l, err
}

// List lists what is in the archive.
func (a *Archive) List() Listing {
	l := Listing{File: a.f.Name(), UUID: a.meta.name(), Format: a.meta.format, Bytes: a.size, Damage: a.Why()}
	logs := map[string]*LogInfo{}
	for log, slots := range a.logs {
		for i, s := range slots {
			if i == 0 || slots[i-1].seq != s.seq {
				note(logs, log, s.seq, int64(s.n))
			}
		}
	}
	for _, name := range sortedKeys(a.buckets) {
		info := SpaceInfo{Name: bucketName(name)}
		for key, at := range a.buckets[name].at {
			v, _ := a.p.Read(at.off, at.n)
			if name == string(asideBucket) {
				if n, err := readNote(key, v); strings.HasPrefix(key, notePrefix) && err == nil {
					l.Notes = append(l.Notes, n)
				}
				continue
			}
			if body, err := a.reseal(name, key, v); err == nil {
				v = body
			}
			info.add(name, key, v)
		}
		if name != string(asideBucket) {
			l.Spaces = append(l.Spaces, info)
		}
	}
	for _, name := range sortedKeys(a.cursors) {
		c := a.cursors[name].Cursor
		held := int64(0)
		for i, s := range a.logs[c.Log] {
			if at, ok := c.Need.Next(s.seq); ok && at == s.seq && (i == 0 || a.logs[c.Log][i-1].seq != s.seq) {
				held += int64(s.n)
			}
		}
		l.Cursors = append(l.Cursors, cursorInfo(c, held))
	}
	for _, name := range sortedKeys(a.lost) {
		l.Cursors = append(l.Cursors, CursorInfo{Name: name, Lost: true})
	}
	l.finish(logs)
	return l
}

func note(logs map[string]*LogInfo, log string, seq uint64, bytes int64) {
	i := logs[log]
	if i == nil {
		i = &LogInfo{Name: log, First: seq}
		logs[log] = i
	}
	i.First, i.Last, i.Entries, i.Bytes = min(i.First, seq), max(i.Last, seq), i.Entries+1, i.Bytes+bytes
}

func cursorInfo(c edged.Cursor, holds int64) CursorInfo {
	info := CursorInfo{Name: c.Name, Log: c.Log, Holds: holds, Lost: c.Lost}
	if at, ok := c.Need.Next(0); ok {
		info.From = max(at, 1)
	}
	return info
}

func (i *SpaceInfo) add(bucket, key string, v []byte) {
	i.Values++
	i.Bytes += int64(len(v))
	if _, err := readValue(bucket, key, v); err != nil {
		i.Damaged++
	}
}

func (l *Listing) finish(logs map[string]*LogInfo) {
	slices.SortFunc(l.Cursors, func(a, b CursorInfo) int { return cmp.Compare(a.Name, b.Name) })
	for _, name := range sortedKeys(logs) {
		i := logs[name]
		for _, c := range l.Cursors {
			if c.Log == name && c.From > 0 && c.From <= i.First && i.HeldBy == "" {
				i.HeldBy = c.Name
			}
		}
		l.Logs = append(l.Logs, *i)
	}
}
