package blockstore

import (
	"fmt"
	"io"

	"edged/blockstore/pages"
)

// survey goes through one state of a store's file, the tree of a meta page, and tells what is there. What is damaged is told and
// passed over. Values of buckets other than log entries are given as places in the file.
type survey struct {
	p       *pages.File
	w       *pages.Walk
	bad     func(pages.Damage)                               // what is wrong, about the structure: values are not looked at
	entry   func(log string, seq uint64, at place, rank int) // may be nil
	bucket  func(name string, values []value, whole bool, rank int)
	rank    int
	inside  bool   // of a bucket
	shelf   bool   // which is the shelf, or in it
	first   uint64 // number of the first entry at the top level
	broken  bool   // the bucket that is being read is
	topLost bool   // a part of the top level cannot be read
	logLost bool   // an entry's bucket cannot be read
}

// place is where a value stands in the file.
type place struct {
	off int64
	n   uint32
}

type value struct {
	key string
	place
}

// walk surveys what a meta page leads to.
func (s *survey) walk(m pages.Meta) {
	s.begin(m.High)
	s.w.Tree(m.Root, s.top)
	s.w.CheckFreelist(m)
}

func (s *survey) begin(high uint64) {
	s.w = s.p.Walk(high, s.wrong)
	s.topLost, s.logLost, s.first = false, false, 0
}

func (s *survey) wrong(d pages.Damage) {
	s.broken = true
	s.topLost, s.logLost = s.topLost || !s.inside, s.logLost || s.shelf
	if s.bad != nil {
		s.bad(d)
	}
}

// top takes a key of the top level: each is a bucket.
func (s *survey) top(e *pages.Element) {
	log, seq, isEntry := entryKey(e.Key)
	switch {
	case !e.Bucket, !isEntry && e.Key[0] != spacePrefix && e.Key[0] != ownPrefix:
		s.wrong(pages.Damage{Page: e.Page, What: fmt.Sprintf("%q does not belong there", e.Key)})
	case isEntry:
		if log == "" && s.first == 0 {
			s.first = seq
		}
		s.one(e, log, seq)
	default:
		s.many(e)
	}
}

// entryKey reads the key of a log entry.
func entryKey(k []byte) (log string, seq uint64, ok bool) {
	if isLogKey(k) {
		return "", seqOf(k), true
	}
	if name, seq, ok := splitResultKey(k); ok && k[0] == resultPrefix {
		return string(name), seq, true
	}
	return "", 0, false
}

// one takes the bucket of a log entry, which has one value.
func (s *survey) one(e *pages.Element, log string, seq uint64) {
	inside, broken := s.inside, s.broken
	s.inside, s.broken = true, false
	n := 0
	s.w.Bucket(e, func(v *pages.Element) {
		if n++; v.Bucket || string(v.Key) != string(valueKey) {
			s.wrong(pages.Damage{Page: v.Page, What: fmt.Sprintf("%q is in the bucket of a log entry", v.Key)})
			return
		}
		at := place{v.Off, v.Len}
		if says, ok := s.says(v.Head, at, seq); !ok {
			s.wrong(pages.Damage{Page: v.Page, What: fmt.Sprintf("entry %d says that it is entry %d", seq, says)})
			seq = says
		}
		if s.entry != nil {
			s.entry(log, seq, at, s.rank)
		}
	})
	if n != 1 && !s.broken {
		s.wrong(pages.Damage{Page: e.Page, What: fmt.Sprintf("log entry %d has %d values", seq, n)})
	}
	s.logLost = s.logLost || s.broken
	s.inside, s.broken = inside, broken
}

// says compares an entry's number with that in its header. If they differ and the value is whole, it is the key that is damaged.
func (s *survey) says(head []byte, at place, seq uint64) (uint64, bool) {
	if len(head) < headerLen+4 { // it is not at hand
		b, err := s.p.Read(at.off, min(at.n, headerLen+4))
		if err != nil {
			return 0, true // a damaged value, not a damaged structure
		}
		head = b
	}
	h, ok := readHeader(head)
	if !ok || h.seq == seq {
		return 0, true
	}
	v, err := s.p.Read(at.off, at.n)
	if err != nil {
		return 0, true
	}
	_, err = unseal(v)
	return h.seq, err != nil
}

// many takes any other bucket: one of values, or the shelf.
func (s *survey) many(e *pages.Element) {
	s.inside, s.broken, s.shelf = true, false, string(e.Key) == string(shelfBucket)
	var values []value
	s.w.Bucket(e, func(v *pages.Element) {
		entry := v.Bucket && isLogKey(v.Key)
		switch {
		case v.Bucket && e.Key[0] == spacePrefix && string(v.Key) == string(apartKey):
			s.empty(v)
		case v.Bucket != s.shelf, v.Bucket && !entry:
			s.wrong(pages.Damage{Page: v.Page, What: fmt.Sprintf("%q does not belong in %q", v.Key, e.Key)})
		case entry && s.first != 0 && seqOf(v.Key) >= s.first:
			s.wrong(pages.Damage{Page: v.Page, What: fmt.Sprintf("entry %d is on the shelf, and entry %d is not", seqOf(v.Key), s.first)})
		}
		if entry { // wherever it is
			s.one(v, "", seqOf(v.Key))
		} else if s.bucket != nil && !v.Bucket {
			values = append(values, value{string(v.Key), place{v.Off, v.Len}})
		}
	})
	shelf := s.shelf
	s.inside, s.shelf = false, false
	if s.bucket != nil && !shelf {
		s.bucket(string(e.Key), values, !s.broken, s.rank)
	}
}

// empty takes the bucket because of which a space has pages of its own.
func (s *survey) empty(e *pages.Element) {
	s.w.Bucket(e, func(v *pages.Element) {
		s.wrong(pages.Damage{Page: v.Page, What: fmt.Sprintf("%q is in a bucket that is to be empty", v.Key)})
	})
}

// condition is what a look at a file's structure has found.
type condition struct {
	damage []pages.Damage // the first of it
	count  int
	newer  string // not "": a newer edged made it
}

const damageKept = 100

func (c *condition) add(d pages.Damage) {
	if c.count++; len(c.damage) < damageKept {
		c.damage = append(c.damage, d)
	}
}

// inspect looks at the structure of a file: everything that the library believes without looking. It reads with bounded memory.
func inspect(r io.ReaderAt, size int64) (c condition) {
	p := pages.New(r, size, pageSize)
	good, bad := p.InForce(bootID())
	for _, d := range bad {
		c.add(d)
	}
	for _, m := range p.Metas() {
		if m.Err == pages.ErrVersion {
			c.newer = m.Err.Error()
		}
	}
	if len(good) == 0 {
		return c
	}
	var cursors, format, uuid bool
	s := &survey{p: p, bad: c.add}
	s.bucket = func(name string, values []value, _ bool, _ int) {
		cursors = cursors || name == string(cursorsBucket)
		if name != string(metaBucket) {
			return
		}
		for _, v := range values {
			b, err := p.Read(v.off, min(v.n, 64))
			if err == nil && v.key == keyFormat {
				format = true
				if f, ok := formatOf(b); !ok {
					c.add(pages.Damage{What: "its format version cannot be read"})
				} else if f > formatVersion {
					c.newer = fmt.Sprintf("it has format %d, made by a newer edged; this one reads up to %d", f, formatVersion)
				}
			}
			uuid = uuid || err == nil && v.key == keyUUID && plausibleUUID(b)
		}
	}
	s.walk(good[0])
	if !cursors || !format || !uuid {
		c.add(pages.Damage{Page: good[0].Root, What: "what every store has is not there: format, UUID, cursors"})
	}
	return c
}
