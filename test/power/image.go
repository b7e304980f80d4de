package power

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"edged/blockstore/pages"
)

// Image is a file system: what is on it, by path.
type Image struct{ Nodes map[string]Node }

// Node is a file or a directory.
type Node struct {
	Inode uint64
	Dir   bool
	Data  []byte
}

// Mount makes an empty file system in memory, and unmounts it when the test ends. It needs root.
func Mount(t testing.TB) (root string) {
	t.Helper()
	root = t.TempDir()
	mount(t, root)
	return root
}

// Lay lays an image out in an empty file system of Mount, each file with its inode number: the kernel gives them in
// order, so that those that are not wanted are made and removed.
func (im *Image) Lay(t testing.TB, root string) {
	t.Helper()
	paths := slices.SortedFunc(maps.Keys(im.Nodes), func(a, b string) int { return int(im.Nodes[a].Inode) - int(im.Nodes[b].Inode) })
	next := uint64(2)
	for _, path := range paths {
		n := im.Nodes[path]
		at := filepath.Join(root, path)
		for ; next < n.Inode; next++ {
			spare := filepath.Join(root, ".spare")
			if err := os.WriteFile(spare, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Remove(spare); err != nil {
				t.Fatal(err)
			}
		}
		err := error(nil)
		if n.Dir {
			err = os.Mkdir(at, 0o750)
		} else {
			err = os.WriteFile(at, n.Data, 0o640)
		}
		if err != nil {
			t.Fatal(err)
		}
		if have := inode(t, at); have != n.Inode {
			t.Fatalf("%s has inode %d, want %d: this tmpfs does not number its inodes in order", path, have, n.Inode)
		}
		next++
	}
}

// Look reads what lies below a directory.
func Look(t testing.TB, root string) *Image {
	t.Helper()
	im := &Image{Nodes: map[string]Node{}}
	err := filepath.WalkDir(root, func(at string, e fs.DirEntry, err error) error {
		if err != nil || at == root {
			return err
		}
		n := Node{Inode: inode(t, at), Dir: e.IsDir()}
		if !n.Dir {
			if n.Data, err = os.ReadFile(at); err != nil {
				return err
			}
		}
		path, err := filepath.Rel(root, at)
		im.Nodes[path] = n
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return im
}

func inode(t testing.TB, path string) uint64 {
	t.Helper()
	fi, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	return fi.Sys().(*syscall.Stat_t).Ino
}

// NextRun makes the image one that another run of the computer left: after a power cut the boot id is another, and the store's seals name that of those who wrote them. It
// returns the image.
func (im *Image) NextRun() *Image {
	for path, n := range im.Nodes {
		if !isStore(path) || len(n.Data) < 2*4096 {
			continue
		}
		n.Data = slices.Clone(n.Data)
		f := pages.New(bytes.NewReader(n.Data), int64(len(n.Data)), 4096)
		for _, m := range f.Metas() {
			if s, _, _, whole := f.SealOf(m); whole && s.Boot != [16]byte{} {
				s.Boot[0]++
				seal, _ := s.Append(nil)
				copy(n.Data[int64(m.Page)*4096+pages.SealAt:], seal)
			}
		}
		im.Nodes[path] = n
	}
	return im
}

// Differs says where two images differ; "" if they do not.
func (im *Image) Differs(from *Image) string {
	for path, n := range im.Nodes {
		m, ok := from.Nodes[path]
		switch {
		case !ok:
			return path + " is there"
		case n.Inode != m.Inode || n.Dir != m.Dir:
			return fmt.Sprintf("%s has inode %d, want %d", path, n.Inode, m.Inode)
		case !slices.Equal(n.Data, m.Data):
			return fmt.Sprintf("%s holds something else (%d bytes, want %d)", path, len(n.Data), len(m.Data))
		}
	}
	for path := range from.Nodes {
		if _, ok := im.Nodes[path]; !ok {
			return path + " is missing"
		}
	}
	return ""
}
