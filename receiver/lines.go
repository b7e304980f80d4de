package receiver

import (
	"bufio"
	"bytes"
	"io"
)

// lineReader reads lines that end with LF or CRLF. It holds a read buffer of 4 KiB, and the longest line that was read if that did
// not fit into it, up to a bound.
type lineReader struct {
	in   *bufio.Reader
	max  int
	long []byte
}

func newLineReader(r io.Reader, max int) *lineReader {
	return &lineReader{in: bufio.NewReaderSize(r, 4<<10), max: max}
}

// next returns the next line without its end; it is valid until the next call. With over the line is longer than the bound, and
// what is returned is its beginning. The last line needs no end. After it, err is io.EOF; with any other error what was read of
// an unfinished line is dropped: nobody knows its end.
func (l *lineReader) next() (line []byte, over bool, err error) {
	l.long = l.long[:0]
	if cap(l.long) > 64<<10 {
		l.long = nil
	}
	for {
		piece, err := l.in.ReadSlice('\n')
		switch {
		case err != nil && err != bufio.ErrBufferFull && err != io.EOF,
			err == io.EOF && len(piece)+len(l.long) == 0:
			return nil, false, err
		case err == bufio.ErrBufferFull || len(l.long) > 0:
			// One byte more than a whole line with its end is enough to know that it is longer.
			l.long = append(l.long, piece[:min(len(piece), max(0, l.max+3-len(l.long)))]...)
			if err == bufio.ErrBufferFull {
				continue
			}
			piece = l.long
		}
		line = bytes.TrimSuffix(bytes.TrimSuffix(piece, []byte{'\n'}), []byte{'\r'})
		return line[:min(len(line), l.max)], len(line) > l.max, nil
	}
}
