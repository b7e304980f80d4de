package receiver

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"syscall"
)

// maxHead is how many bytes at the top of a file tell it from others: logs have a time there.
const maxHead = 256

// place says which file was read, and how far.
type place struct {
	Path   string `json:"path"` // where it was seen last
	Name   string `json:"name"` // under which it was seen first; it is in the topic
	Device uint64 `json:"device"`
	Inode  uint64 `json:"inode"`
	Offset int64  `json:"offset"` // everything before is stored
	Head   int    `json:"head"`   // so many bytes at its top, never more than Offset, have the digest Sum
	Sum    string `json:"sum"`
	Done   bool   `json:"done,omitempty"` // it was rotated away and read to its end: it is not looked for
}

// note is what is saved of a receiver.
type note struct {
	Pattern string  `json:"pattern"` // the configured path
	Files   []place `json:"files"`
}

func (n note) encode() []byte { b, _ := json.Marshal(n); return b } // there is nothing in it that JSON cannot say

func decodeNote(b []byte) (n note, err error) {
	if err = json.Unmarshal(b, &n); err != nil {
		err = fmt.Errorf("what was saved of the positions cannot be understood: %w", err)
	}
	return n, err
}

func sumOf(head []byte) string { s := sha256.Sum256(head); return hex.EncodeToString(s[:16]) }

// identity is what the file system says of a file.
type identity struct{ device, inode uint64 }

func identityOf(fi os.FileInfo) identity {
	if st, ok := fi.Sys().(*syscall.Stat_t); ok {
		return identity{uint64(st.Dev), st.Ino}
	}
	return identity{}
}

// verdict is what became of a file of which a place is known.
type verdict int

const (
	another  verdict = iota // it is not that file: the inode is used again
	same                    // reading goes on at the offset
	cutShort                // it is that file's inode, and what was read is not in it any more
)

// judge looks whether an open file is the one of a place. Devices get other numbers when the computer starts; then the path
// and the first bytes must be right.
func (p place) judge(path string, id identity, f *os.File, size int64) verdict {
	if p.Inode != id.inode || p.Device != id.device && (p.Path != path || p.Head == 0) {
		return another
	}
	head, err := headOf(f, min(p.Head, int(min(size, maxHead))))
	begins := err == nil && len(head) == p.Head && sumOf(head) == p.Sum
	switch {
	case begins && size >= p.Offset:
		return same
	case p.Path == path && size < p.Offset:
		return cutShort
	}
	return another
}

// headOf reads the first n bytes.
func headOf(f *os.File, n int) ([]byte, error) {
	head := make([]byte, n)
	if _, err := f.ReadAt(head, 0); err != nil && err != io.EOF {
		return nil, err
	}
	return head, nil
}
