package power

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// Data is what became of data and sizes that were not synced.
type Data int

const (
	DataLost Data = iota // nothing of it is on disk
	DataKept             // all of it is
	Sectors              // any of its sectors
	Pages                // any of its pages
	Torn                 // its writes in their order, up to somewhere in the middle of one
	Ordered              // as on ext4 with data=ordered: pages written over in any order, appended data before the size
	allData
)

// Names is what became of names that were made, changed or removed without a sync of the directory.
type Names int

const (
	NamesLost Names = iota // no change is on disk
	NamesKept              // all are
	Subset                 // any of them
	Journal                // all up to a moment
	allNames
)

func (d Data) String() string {
	return [...]string{"data lost", "data kept", "any sectors", "any pages", "torn in the middle", "data=ordered"}[d]
}

func (n Names) String() string {
	return [...]string{"names lost", "names kept", "any names", "names up to a moment"}[n]
}

// Fate is one way in which the power may fail.
type Fate struct {
	Cut   int // before this line of the record
	Data  Data
	Names Names
	Seed  uint64
	// Lies makes a disk that does not keep what it said was synced: of files whose first path it is true for, or of a directory ("" is the
	// root). It is for controls.
	Lies func(path string) bool
}

func (f Fate) String() string {
	return fmt.Sprintf("cut before call %d, %v, %v, seed %d", f.Cut, f.Data, f.Names, f.Seed)
}

// After is what the disk holds when the power has failed in this way, and what it took away.
func (r *Record) After(f Fate) *Image {
	dice := rand.New(rand.NewPCG(f.Seed, uint64(f.Cut)))
	im := &Image{Nodes: map[string]Node{}}
	names := r.namesAfter(f, dice)
	for _, path := range sorted(names) { // in order: the dice must fall the same way each time
		if !r.reachable(names, path) {
			continue
		}
		n := Node{Inode: names[path].inode, Dir: names[path].dir}
		if !n.Dir {
			n.Data = names[path].after(f, dice)
		}
		im.Nodes[path] = n
	}
	return im
}

// reachable reports whether the directories above a path are there.
func (r *Record) reachable(names map[string]*file, path string) bool {
	for at := parent(path); at != ""; at = parent(at) {
		if d := names[at]; d == nil || !d.dir {
			return false
		}
	}
	return path != ""
}

func parent(path string) string {
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		return path[:i]
	}
	return ""
}

// namesAfter is what the directories hold.
func (r *Record) namesAfter(f Fate, dice *rand.Rand) map[string]*file {
	var ops []*nameOp
	journal := 0 // operations that are on disk because of a sync, and what a journal wrote before them
	durable := map[*nameOp]bool{}
	for _, op := range r.names {
		if op.begin >= f.Cut {
			continue
		}
		ops = append(ops, op)
		if r.nameSynced(op, f) {
			durable[op] = true
			journal = len(ops)
		}
	}
	journal += dice.IntN(len(ops) - journal + 1)
	names := map[string]*file{}
	for path, file := range r.base {
		names[path] = file
	}
	for i, op := range ops {
		done := durable[op]
		switch f.Names {
		case NamesKept:
			done = done || op.end < f.Cut
		case Subset:
			done = dice.IntN(2) == 0 || done
		case Journal:
			done = done || i < journal
		}
		if !done {
			continue
		}
		if op.from != "" && names[op.from] == op.file {
			delete(names, op.from)
		}
		if op.to != "" {
			names[op.to] = op.file
		}
	}
	return names
}

// nameSynced reports whether a sync of the directory has made an operation durable.
func (r *Record) nameSynced(op *nameOp, f Fate) bool {
	dir := parent(op.to + op.from) // one of them is "", or both are in the same directory
	if op.to != "" {
		dir = parent(op.to)
	}
	if f.Lies != nil && f.Lies(dir) {
		return false
	}
	return slices.ContainsFunc(r.syncs, func(s *flush) bool {
		return s.dir == dir && s.ok() && s.begin > op.end && s.end < f.Cut
	})
}

func sorted(names map[string]*file) []string {
	paths := make([]string, 0, len(names))
	for p := range names {
		paths = append(paths, p)
	}
	slices.Sort(paths)
	return paths
}
