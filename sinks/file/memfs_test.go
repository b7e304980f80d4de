package file

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// memfs is a file system of one directory that can be killed and have its power cut.
//
// It knows what is on disk and what is only in the page cache. Directory operations reach the disk at SyncDir; at a power
// cut any of them may have, and others not (worse than what a journal does). Bytes reach it at Sync; at a power cut, what
// was not synced may be there, be as before, or be zeros, and the length goes a way of its own. A failed Sync forgets which
// bytes it did not write, as Linux does: a later one that succeeds does not write them.
//
// Inode numbers are reused as soon as they are free, as in ext4.
type memfs struct {
	dir     string
	names   map[string]*inode
	onDisk  map[string]*inode
	pending []func(map[string]*inode) // directory operations that are not on disk
	open    []*memFile
	room    int64 // bytes that files may take together; 0 = any

	ops     int
	trouble func(op int) trouble // what happens at the op-th operation
	dead    bool                 // after a crash, until restart: nothing does anything

	syncLies, syncDirLies bool // they report success and do nothing
	failSyncs             int  // so many syncs of files fail, whatever trouble says
	dice                  *rand.Rand
}

type trouble int

const (
	none    trouble = iota
	kill            // the process ends; a write is done in part
	power           // the machine does
	noSpace         // ENOSPC
	ioError         // EIO
)

// crash is what memfs panics with at a kill or power cut.
type crash struct{}

func newMemfs(seed uint64) *memfs {
	return &memfs{
		dir: "/d", names: map[string]*inode{}, onDisk: map[string]*inode{},
		trouble: func(int) trouble { return none }, dice: rand.New(rand.NewPCG(seed, 0)),
	}
}

// step counts an operation and says which error it ends with, if any.
func (m *memfs) step(partial func()) error {
	if m.dead {
		return syscall.EIO
	}
	m.ops++
	switch m.trouble(m.ops) {
	case kill:
		partial()
		m.crash(false)
	case power:
		partial()
		m.crash(true)
	case noSpace:
		partial()
		return syscall.ENOSPC
	case ioError:
		partial()
		return syscall.EIO
	}
	return nil
}

func nothing() {}

// crash ends the process that uses the file system. What it left in the page cache outlives it, but not a power cut.
func (m *memfs) crash(powerCut bool) {
	m.dead = true
	if powerCut {
		m.powerCut()
	}
	panic(crash{})
}

// restart makes the file system usable again after a crash.
func (m *memfs) restart() { m.dead, m.open = false, nil }

// powerCut leaves what is on disk, and of the rest whatever the dice say.
func (m *memfs) powerCut() {
	for _, op := range m.pending {
		if m.dice.IntN(2) == 0 {
			op(m.onDisk)
		}
	}
	m.pending = nil
	m.names = maps.Clone(m.onDisk)
	for _, name := range m.list() { // in order: the dice must fall the same way each time
		i := m.names[name]
		i.cut(m.dice)
		i.disk, i.dirty = bytes.Clone(i.data), make([]bool, len(i.data))
	}
}

func (m *memfs) base(path string) string {
	if filepath.Dir(path) != m.dir {
		panic("outside the directory: " + path)
	}
	return filepath.Base(path)
}

func (m *memfs) change(op func(map[string]*inode)) {
	op(m.names)
	m.pending = append(m.pending, op)
}

func (m *memfs) Resolve(path string) (string, error) { return path, nil }

func (m *memfs) Stat(path string) (stat, error) {
	if err := m.step(nothing); err != nil {
		return stat{}, &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	i := m.names[m.base(path)]
	if i == nil {
		return stat{}, &fs.PathError{Op: "stat", Path: path, Err: syscall.ENOENT}
	}
	return i.stat(), nil
}

func (m *memfs) Open(path string, flag int) (handle, error) {
	if err := m.step(nothing); err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	name := m.base(path)
	i := m.names[name]
	switch {
	case i == nil && flag&os.O_CREATE == 0:
		return nil, &fs.PathError{Op: "open", Path: path, Err: syscall.ENOENT}
	case i != nil && flag&os.O_EXCL != 0:
		return nil, &fs.PathError{Op: "open", Path: path, Err: syscall.EEXIST}
	case i == nil:
		i = &inode{number: m.free()}
		m.change(func(names map[string]*inode) { names[name] = i })
	}
	f := &memFile{m: m, i: i}
	m.open = append(m.open, f)
	return f, nil
}

func (m *memfs) free() uint64 {
	for n := uint64(2); ; n++ {
		used := slices.ContainsFunc(m.open, func(f *memFile) bool { return f.i.number == n })
		for _, names := range []map[string]*inode{m.names, m.onDisk} {
			for _, i := range names {
				used = used || i.number == n
			}
		}
		if !used {
			return n
		}
	}
}

func (m *memfs) Rename(from, to string) error {
	if err := m.step(nothing); err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	a, b := m.base(from), m.base(to)
	i := m.names[a]
	if i == nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: syscall.ENOENT}
	}
	m.change(func(names map[string]*inode) { delete(names, a); names[b] = i })
	return nil
}

func (m *memfs) Remove(path string) error {
	if err := m.step(nothing); err != nil {
		return &fs.PathError{Op: "remove", Path: path, Err: err}
	}
	name := m.base(path)
	if m.names[name] == nil {
		return &fs.PathError{Op: "remove", Path: path, Err: syscall.ENOENT}
	}
	m.change(func(names map[string]*inode) { delete(names, name) })
	return nil
}

func (m *memfs) List(dir string) ([]string, error) {
	if err := m.step(nothing); err != nil {
		return nil, &fs.PathError{Op: "open", Path: dir, Err: err}
	}
	return m.list(), nil
}

func (m *memfs) list() []string {
	var names []string
	for name := range m.names {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (m *memfs) SyncDir(dir string) error {
	if err := m.step(nothing); err != nil {
		return &fs.PathError{Op: "sync", Path: dir, Err: err}
	}
	if m.syncDirLies {
		return nil
	}
	for _, op := range m.pending {
		op(m.onDisk)
	}
	m.pending = nil
	return nil
}

func (m *memfs) used() (n int64) {
	for _, i := range m.names {
		n += int64(len(i.data))
	}
	return n
}

// contents is what the file has, for a test to look at; it counts as no operation.
func (m *memfs) contents(name string) string { return string(m.names[name].data) }

// String is for messages of failed tests.
func (m *memfs) String() string {
	var b strings.Builder
	for _, name := range m.list() {
		fmt.Fprintf(&b, "%s: %q\n", name, m.contents(name))
	}
	return b.String()
}
