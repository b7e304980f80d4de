package power

import (
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
)

// Record is everything that a process did to the files below a directory, and the acknowledgements that it sent.
type Record struct {
	Root  string
	Acks  []Ack
	Lines int // moments: a cut is before line Cut of the record

	base  map[string]*file // what was there at the beginning, durably, by path from Root; "" is Root
	files []*file
	names []*nameOp
	syncs []*flush // of directories
	next  uint64   // the next inode number
}

// Ack is an MQTT packet with a packet identifier that the process sent.
type Ack struct {
	Begin, End int
	Port       int  // of the client
	Kind       byte // 0x40, 0x50, 0x70
	ID         uint16
}

// file is an inode: a regular file or a directory.
type file struct {
	inode uint64
	dir   bool
	first string // the path that it was made under
	base  []byte // durable at the beginning
	ops   []*dataOp
	syncs []*flush
	size  int64 // after ops
}

// dataOp is a write, or with data == nil a truncation to off.
type dataOp struct {
	*call
	off  int64
	data []byte
}

// nameOp makes, moves or removes a name. from or to is "".
type nameOp struct {
	*call
	file     *file
	from, to string
}

type flush struct {
	*call
	dir string
}

// recorder follows the file descriptors of a process.
type recorder struct {
	*Record
	fds   map[int]*descriptor
	now   map[string]*file // names as the process sees them
	acks  map[int][]byte   // by port: bytes of a packet that is not whole
	doing map[*call]func() error
}

type descriptor struct {
	file   *file
	path   string // of a directory
	append bool
	seeks  bool // written at a position that is not followed
	at     int64
}

// Read makes a record of what strace has written of one or more lives, one after the other. root is where the process had its files; base
// is what lay there when it was first started, which is durable; nil is an empty directory. Inodes are numbered on from it, as a
// tmpfs does.
func Read(root string, base *Image, straces ...io.Reader) (*Record, error) {
	r := &recorder{Record: &Record{Root: root, base: map[string]*file{}, next: 2}, fds: map[int]*descriptor{}, now: map[string]*file{}, acks: map[int][]byte{}, doing: map[*call]func() error{}}
	r.files = append(r.files, &file{inode: 1, dir: true})
	r.base[""], r.now[""] = r.files[0], r.files[0]
	if base != nil {
		for path, n := range base.Nodes {
			f := &file{inode: n.Inode, dir: n.Dir, first: path, base: n.Data, size: int64(len(n.Data))}
			r.files = append(r.files, f)
			r.base[path], r.now[path] = f, f
			r.next = max(r.next, n.Inode+1)
		}
	}
	var err error
	for _, text := range straces {
		clear(r.fds)
		clear(r.acks)
		if err == nil {
			r.Lines, err = readStrace(text, r.Lines, r.begin, r.end)
		}
	}
	for _, f := range r.files {
		for _, op := range f.ops {
			if err == nil && op.ret == "" {
				err = fmt.Errorf("a %s of %s never returned: nobody knows what it did", op.name, f.first)
			}
		}
	}
	return r.Record, err
}

// settle gives files the inode numbers that they have. strace says when a call has returned, and not in which order the kernel did two that were made at
// the same time: of the files that two threads made at once, either can have the lower number.
func (r *Record) settle(is *Image) {
	calls := map[*file]*call{}
	for _, op := range r.names {
		if op.from == "" {
			calls[op.file] = op.call
		}
	}
	for path, f := range r.namesAfter(Fate{Cut: r.Lines, Names: NamesKept}, rand.New(rand.NewPCG(0, 0))) {
		i := slices.IndexFunc(r.files, func(g *file) bool { return g.inode == is.Nodes[path].Inode })
		if i < 0 || r.files[i] == f {
			continue
		}
		a, b := calls[f], calls[r.files[i]]
		if a != nil && b != nil && a.begin < b.end && b.begin < a.end {
			f.inode, r.files[i].inode = r.files[i].inode, f.inode
		}
	}
}

// below returns the path from Root, or false if it is not there. args are a directory descriptor and a path, as of openat.
func (r *recorder) below(dir, text string) (string, bool, error) {
	b, err := unhex(text)
	if err != nil {
		return "", false, err
	}
	path := string(b)
	if !filepath.IsAbs(path) {
		if dir == "" || strings.HasPrefix(dir, "AT_FDCWD") {
			return "", false, nil // the process works with absolute paths: its own are not relative
		}
		return "", false, fmt.Errorf("a path relative to a descriptor: %s", path)
	}
	path = filepath.Clean(path)
	if path == r.Root {
		return "", true, nil
	}
	rel, ok := strings.CutPrefix(path, r.Root+"/")
	return rel, ok, nil
}

// begin notes what is in force from the beginning of a call on.
func (r *recorder) begin(c *call) error {
	switch c.name {
	case "close":
		delete(r.fds, leading(c.args[0]))
	case "write", "pwrite64", "ftruncate", "fallocate":
		return r.data(c)
	case "fsync", "fdatasync":
		d := r.fds[leading(c.args[0])]
		switch {
		case d == nil:
		case d.file.dir:
			r.syncs = append(r.syncs, &flush{c, d.path})
		default:
			d.file.syncs = append(d.file.syncs, &flush{call: c})
		}
	case "openat":
		return nil
	case "mkdirat":
		return r.name(c, "", c.args[0], c.args[1])
	case "unlinkat":
		return r.name(c, c.args[0], c.args[1], "")
	case "rename", "renameat", "renameat2":
		return r.rename(c)
	default:
		if d := r.fds[leading(c.args[0])]; d != nil && !(c.name == "fcntl" && !strings.HasPrefix(c.args[1], "F_DUPFD")) && c.name != "lseek" {
			return fmt.Errorf("%s(%.80s) is not in the model", c.name, strings.Join(c.args, ", "))
		} else if d != nil && c.name == "lseek" {
			d.seeks = true
		}
		for _, a := range c.args {
			if !strings.HasPrefix(a, `"`) {
				continue
			}
			if path, below, _ := r.below("", a); below {
				return fmt.Errorf("%s of %s is not in the model", c.name, path)
			}
		}
	}
	return nil
}

// end notes what is in force from the end of a call on.
func (r *recorder) end(c *call) error {
	if f := r.doing[c]; f != nil {
		delete(r.doing, c)
		if c.ok() {
			return f()
		}
		return nil
	}
	if c.name == "openat" && c.ok() {
		return r.opened(c)
	}
	return nil
}

func (r *recorder) opened(c *call) error {
	fd, flags := c.number(), c.args[2]
	delete(r.fds, fd)
	path, below, err := r.below(c.args[0], c.args[1])
	if err != nil {
		return err
	}
	if !below {
		return nil
	}
	f := r.now[path]
	if f == nil {
		if !strings.Contains(flags, "O_CREAT") {
			return fmt.Errorf("%s was opened, and the record does not know it", path)
		}
		f = r.made(c, path, false)
	} else if strings.Contains(flags, "O_TRUNC") {
		return fmt.Errorf("O_TRUNC of %s is not in the model", path)
	}
	r.fds[fd] = &descriptor{file: f, path: path, append: strings.Contains(flags, "O_APPEND"), seeks: strings.Contains(flags, "O_RDWR")}
	return nil
}

func (r *recorder) made(c *call, path string, dir bool) *file {
	f := &file{inode: r.next, dir: dir, first: path}
	r.next++
	r.files = append(r.files, f)
	r.now[path] = f
	r.names = append(r.names, &nameOp{c, f, "", path})
	return f
}
