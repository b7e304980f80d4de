package receiver

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"time"
)

// followed is one file that is read. It is an inode, whatever its name is by now.
type followed struct {
	path   string // under which it was seen last
	name   string // under which it was seen first
	id     identity
	f      *os.File
	topic  string
	max    int       // longest line
	away   bool      // no path that is followed leads to it any more
	quiet  time.Time // since when it has not grown, if it is away
	passed *passed

	read    int64  // everything before was read
	head    []byte // the first bytes, as they were read
	rest    []byte // the beginning of a line whose end is not there yet
	tooLong bool   // the line that is being read
}

// begin sets where reading goes on.
func (s *followed) begin(at int64, news chan struct{}) (err error) {
	s.read, s.rest, s.tooLong, s.quiet = at, nil, false, time.Now()
	s.passed = &passed{news: news, off: at}
	s.head, err = headOf(s.f, int(min(at, maxHead)))
	return err
}

// replaced reports whether what was read is not in the file any more, and why that is known.
func (s *followed) replaced() (why string, err error) {
	fi, err := s.f.Stat()
	if err != nil {
		return "", err
	}
	if fi.Size() < s.read {
		return fmt.Sprintf("it has %d bytes, and %d were read", fi.Size(), s.read), nil
	}
	if fi.Size() == s.read {
		return "", nil
	}
	head, err := headOf(s.f, len(s.head))
	if err == nil && !bytes.Equal(head, s.head) {
		why = "it begins with other bytes"
	}
	return why, err
}

// lines reads once, and calls each for every line that is complete, without its newline, and with the offset behind it. A
// line that is too long is given as nil. n is 0 at the end of the file.
func (s *followed) lines(buf []byte, each func(line []byte, end int64) error) (n int, err error) {
	n, err = s.f.ReadAt(buf, s.read)
	if err != nil && err != io.EOF {
		return 0, err
	}
	data, at := buf[:n], s.read
	if len(s.head) < maxHead {
		s.head = append(s.head, data[:min(n, maxHead-len(s.head))]...)
	}
	s.read += int64(n)
	for {
		i := bytes.IndexByte(data, '\n')
		if i < 0 {
			break
		}
		line := data[:i]
		at += int64(i) + 1
		data = data[i+1:]
		if len(s.rest) > 0 {
			s.rest = append(s.rest, line...)
			line = s.rest
		}
		if s.tooLong || len(line) > s.max {
			line = nil
		}
		s.rest, s.tooLong = s.rest[:0], false
		if err := each(line, at); err != nil {
			return n, err
		}
	}
	if s.tooLong = s.tooLong || len(s.rest)+len(data) > s.max; s.tooLong {
		s.rest = nil
	} else {
		s.rest = append(s.rest, data...)
	}
	return n, nil
}

// place says how far the file may be given up.
func (s *followed) place(done bool) place {
	off, _, _ := s.passed.state()
	head := s.head[:min(int64(len(s.head)), off)]
	return place{s.path, s.name, s.id.device, s.id.inode, off, len(head), sumOf(head), done}
}
