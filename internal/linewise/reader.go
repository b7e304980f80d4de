// Package linewise reads the lines of somebody who may send anything.
package linewise

import (
	"bufio"
	"bytes"
	"io"
)

// Reader reads lines that end with LF or CRLF. It holds a read buffer of 4 KiB, and the longest line that was read if that did
// not fit into it, up to a bound.
type Reader struct {
	in   *bufio.Reader
	max  int
	long []byte
}

// NewReader makes a reader of lines of at most max bytes, without their ends.
func NewReader(r io.Reader, max int) *Reader {
	return &Reader{in: bufio.NewReaderSize(r, 4<<10), max: max}
}

// Next returns the next line without its end; it is valid until the next call. With over the line is longer than the bound, and
// what is returned is its beginning. The last line needs no end. After it, err is io.EOF, without a line. With any other error the
// line is what was read of an unfinished one, or empty: nobody knows its end, so whoever stores lines drops it.
func (l *Reader) Next() (line []byte, over bool, err error) {
	l.long = l.long[:0]
	if cap(l.long) > 64<<10 {
		l.long = nil
	}
	for {
		piece, err := l.in.ReadSlice('\n')
		if err == io.EOF && len(piece)+len(l.long) == 0 {
			return nil, false, err
		}
		if err == bufio.ErrBufferFull || len(l.long) > 0 {
			// One byte more than a whole line with its end is enough to know that it is longer.
			l.long = append(l.long, piece[:min(len(piece), max(0, l.max+3-len(l.long)))]...)
			if err == bufio.ErrBufferFull {
				continue
			}
			piece = l.long
		}
		if err == io.EOF {
			err = nil
		}
		line = bytes.TrimSuffix(bytes.TrimSuffix(piece, []byte{'\n'}), []byte{'\r'})
		return line[:min(len(line), l.max)], len(line) > l.max, err
	}
}
