package power

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
)

// moments are the cuts just after something happened, by what it was: "an acknowledgement", "a sync of edged.db", …
func (r *Record) moments() map[string][]int {
	m := map[string][]int{}
	first := r.Lines
	for _, a := range r.Acks {
		first = min(first, a.Begin)
	}
	add := func(c *call, what string) {
		if !c.ok() {
			return
		}
		m[what] = append(m[what], c.end+1)
		if c.end < first {
			m["its first start"] = append(m["its first start"], c.end+1)
		}
	}
	for _, a := range r.Acks {
		m["an acknowledgement"] = append(m["an acknowledgement"], a.End+1)
	}
	for _, f := range r.files {
		for _, op := range f.ops {
			switch {
			case op.data == nil:
				add(op.call, "a truncation of "+kind(f.first))
			case isStore(f.first) && op.off < 2*pageSize && op.off%pageSize != 0:
				add(op.call, "a seal of "+kind(f.first))
			case isStore(f.first) && op.off < 2*pageSize:
				add(op.call, "a meta page of "+kind(f.first))
			default:
				add(op.call, "a write to "+kind(f.first))
			}
		}
		for _, s := range f.syncs {
			add(s.call, "a sync of "+kind(f.first))
		}
	}
	for _, op := range r.names {
		switch {
		case op.from == "":
			add(op.call, "the creation of "+kind(op.to))
		case op.to == "":
			add(op.call, "the removal of "+kind(op.from))
		default:
			add(op.call, fmt.Sprintf("the renaming of %s to %s", kind(op.from), kind(op.to)))
		}
	}
	for _, s := range r.syncs {
		add(s.call, "a sync of a directory")
	}
	return m
}

func isStore(path string) bool { return strings.HasPrefix(filepath.Base(path), "edged.db") }

// kind is the name of a file without what makes it different from others of its kind: raw-20261120T100000Z-7.ndjson is raw-*.ndjson.
func kind(path string) string {
	name := filepath.Base(path)
	stem, rest, ok := strings.Cut(name, "-")
	if _, ending, more := strings.Cut(rest, "."); ok && more {
		return stem + "-*." + ending
	}
	return name
}

// Fates are n ways in which the power may fail in the lines [from, to): moments of every kind in turn, and with each first the worst, that nothing
// is on disk that was not synced.
func (r *Record) Fates(n int, seed uint64, from, to int) (fates []Fate, kinds []string) {
	dice := rand.New(rand.NewPCG(seed, 1))
	m := r.moments()
	for what, cuts := range m {
		m[what] = slices.DeleteFunc(cuts, func(c int) bool { return c < from || c >= to })
		if len(m[what]) == 0 {
			delete(m, what)
		}
	}
	kinds = slices.Sorted(maps.Keys(m))
	if len(kinds) == 0 {
		return nil, nil
	}
	dice.Shuffle(len(kinds), func(i, j int) { kinds[i], kinds[j] = kinds[j], kinds[i] })
	for i := range n {
		cuts := m[kinds[i%len(kinds)]]
		f := Fate{Cut: cuts[dice.IntN(len(cuts))], Data: Data(dice.IntN(int(allData))), Names: Names(dice.IntN(int(allNames))), Seed: seed + uint64(i)}
		if i%4 == 0 {
			f.Data, f.Names = DataLost, NamesLost
		}
		fates = append(fates, f)
	}
	return fates, kinds
}

// Amid are n ways in which the power may fail when a commit of the store is written and not synced, with some of it on disk.
func (r *Record) Amid(n int, seed uint64) (fates []Fate) {
	dice := rand.New(rand.NewPCG(seed, 2))
	m := r.moments() // a file is called by its first name
	cuts := append(slices.Clone(m["a meta page of edged.db.new"]), m["a seal of edged.db.new"]...)
	for i := range n {
		fates = append(fates, Fate{Cut: cuts[dice.IntN(len(cuts))], Data: []Data{Sectors, Pages, Torn}[i%3], Names: NamesKept, Seed: seed + uint64(i)})
	}
	return fates
}
