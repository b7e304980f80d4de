package blockstore

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"

	"edged"
	"edged/blockstore/pages"
)

// Archive is a store's file as it lies there, sound or damaged, read without the library and without changing it. Nothing in
// the file can crash it. It keeps the place of every entry in memory. It is for one goroutine.
//
// In a damaged file it finds what the newest state leads to, then what the state before it leads to, and then what lies
// about: transactions write every page to a new place, so that older copies are there for a while. Log entries name
// themselves, and have a CRC; of a cursor the copy that is furthest on is taken.
type Archive struct {
	f         *os.File
	p         *pages.File
	size      int64
	condition condition
	meta      meta
	logs      map[string][]slot
	cursors   map[string]kept
	lost      map[string]bool // cursors whose value cannot be read, and of which there is no copy
	buckets   map[string]*values

	settled      bool // the top level was read as a whole
	whole        bool // so was every entry that the newest state which can be read has
	cursorsWhole bool // so were the names of the cursors
	unnamed      bool // a cursor's value does not match: it may be the name that is damaged, so that a name is missing
}

// slot is where an entry stands. rank is how far from the newest state it was found: below fromScan in a tree.
type slot struct {
	seq uint64
	place
	rank uint8
}

const fromScan = 100

// kept is a cursor, and whether it is from an earlier state than the newest.
type kept struct {
	edged.Cursor
	rank int
}

// values are those of a bucket.
type values struct {
	whole bool
	at    map[string]place
}

// OpenArchive reads a file. The error is about reaching it, not about what is in it.
func OpenArchive(path string) (*Archive, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if err := lock(f, false); err != nil {
		f.Close()
		return nil, inUse(path, err)
	}
	a, err := readArchive(f, false)
	if err != nil {
		f.Close()
		return nil, err
	}
	return a, nil
}

// readArchive reads an open file. cursors asks for older copies of damaged cursors though the structure is sound.
func readArchive(f *os.File, cursors bool) (*Archive, error) {
	fi, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !fi.Mode().IsRegular() {
		return nil, errNotRegular
	}
	a := &Archive{
		f: f, size: fi.Size(), p: pages.New(f, fi.Size(), pageSize), condition: inspect(f, fi.Size()),
		logs: map[string][]slot{}, cursors: map[string]kept{}, lost: map[string]bool{}, buckets: map[string]*values{},
	}
	a.gather(cursors)
	for _, slots := range a.logs {
		slices.SortStableFunc(slots, func(x, y slot) int { return cmp.Or(cmp.Compare(x.seq, y.seq), cmp.Compare(x.rank, y.rank)) })
	}
	return a, nil
}

var errNotRegular = errors.New("it is not a regular file")

// Close lets go of the file.
func (a *Archive) Close() error { return a.f.Close() }

// Sound reports whether the structure is.
func (a *Archive) Sound() bool { return a.condition.count == 0 }

func (a *Archive) gather(cursors bool) {
	good, _ := a.p.InForce(bootID())
	seen := a.p.Walk(a.p.Pages(), func(pages.Damage) {}).Read()
	rank := 0
	tree := func(m pages.Meta) {
		s := &survey{p: a.p, rank: rank, bucket: a.bucket}
		if rank == 0 || !a.Sound() {
			s.entry = a.entry
		}
		s.walk(m)
		a.settled = a.settled || !s.topLost
		a.whole = a.whole || rank == 0 && !s.topLost && !s.logLost
		seen.Union(s.w.Read())
		rank++
	}
	for _, m := range good {
		tree(m)
		if a.Sound() && !(cursors && len(a.lost) > 0) {
			return
		}
	}
	for _, m := range a.p.Metas() { // one with a flipped bit may still lead to its tree
		if m.Err != nil && m.Root >= 2 && m.Root < a.p.Pages() {
			m.High, m.Freelist = a.p.Pages(), pages.NoFreelist
			tree(m)
		}
	}
	a.scan(seen)
}

// oneState reports whether the newest state that can be read is whole, and every cursor is of it: then what other states have of result logs is not part of it.
func (a *Archive) oneState() bool {
	if !a.whole || !a.cursorsWhole || len(a.lost) > 0 {
		return false
	}
	for _, c := range a.cursors {
		if c.rank > 0 {
			return false
		}
	}
	return true
}

func (a *Archive) entry(log string, seq uint64, at place, rank int) {
	if seq > 0 && seq < edged.Forever {
		a.logs[log] = append(a.logs[log], slot{seq, at, uint8(rank)})
	}
}

// bucket takes the values of a bucket as one state has them. What an earlier look has read as a whole stays as it is.
func (a *Archive) bucket(name string, vs []value, whole bool, rank int) {
	switch name {
	case string(cursorsBucket):
		a.takeCursors(vs, whole, rank)
		return
	case string(metaBucket):
		for _, v := range vs {
			if b, err := a.p.Read(v.off, min(v.n, 64)); err == nil {
				var m meta
				if m.get(v.key, b) == nil {
					a.meta.fill(m)
				}
			}
		}
		return
	}
	b := a.buckets[name]
	switch {
	case b == nil && a.settled && rank > 0: // the newest state does not have it
		return
	case b == nil:
		b = &values{whole: whole, at: map[string]place{}}
		a.buckets[name] = b
	case b.whole:
		return
	}
	for _, v := range vs {
		if _, ok := b.at[v.key]; !ok {
			b.at[v.key] = v.place
		}
	}
}

// fill takes over what m knows and is not known yet.
func (m *meta) fill(n meta) {
	m.format, m.era, m.made = max(m.format, n.format), max(m.era, n.era), cmp.Or(m.made, n.made)
	if m.uuid == [16]byte{} {
		m.uuid = n.uuid
	}
	m.lost = m.lost || n.lost
}

func (a *Archive) takeCursors(vs []value, whole bool, rank int) {
	for _, v := range vs {
		c, err := a.cursor(v)
		if err != nil {
			if rank == 0 {
				a.lost[v.key], a.unnamed = true, true
			}
			continue
		}
		a.better(c, rank)
	}
	a.cursorsWhole = a.cursorsWhole || whole
}

// cursor reads a cursor's value. In a file of format 1 it is sealed without its name.
func (a *Archive) cursor(v value) (edged.Cursor, error) {
	b, err := a.p.Read(v.off, v.n)
	if err != nil {
		return edged.Cursor{}, err
	}
	c, err := decodeCursor(v.key, b)
	if err != nil && a.meta.format <= 1 {
		if body, old := unseal(b); old == nil {
			return cursorOf(v.key, body)
		}
	}
	return c, err
}

// better takes a cursor if it is needed, and nothing better is there.
func (a *Archive) better(c edged.Cursor, rank int) {
	have, ok := a.cursors[c.Name]
	switch {
	case ok && (have.rank < fromScan || rank < fromScan && have.rank <= rank):
		return
	case a.cursorsWhole && !a.lost[c.Name]: // the newest state does not have it
		return
	case a.cursorsWhole && len(c.Need) == 0: // what stands elsewhere, such as a sink's receipt, must not be older than the rest
		return
	case ok && have.Log == c.Log && !ahead(c, have.Cursor):
		return
	}
	a.cursors[c.Name] = kept{c, rank}
	delete(a.lost, c.Name)
}

func ahead(c, d edged.Cursor) bool {
	from, _ := c.Need.Next(0)
	than, _ := d.Need.Next(0)
	return from > than
}

// Why says in a few words what is wrong with the structure; "" if nothing is.
func (a *Archive) Why() string { return a.condition.why() }

func (c *condition) why() string {
	switch {
	case c.count == 0:
		return ""
	case c.count == 1:
		return c.damage[0].String()
	}
	return fmt.Sprintf("%v, and %d more", c.damage[0], c.count-1)
}

// why0 puts a reason before what else was found.
func (c *condition) why0(text string) {
	c.damage, c.count = append([]pages.Damage{{What: text}}, c.damage...), c.count+1
}
