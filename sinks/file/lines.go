package file

import (
	"bufio"
	"hash/fnv"
	"io"

	"edged"
	"edged/sinks/encode"
)

// bigWrite is what one write to the file carries, in bytes, when there is enough.
const bigWrite = 256 << 10

// lines turns deliveries into the bytes of a generation. Write sends them to the file; Open compares them with a tail.
type lines struct {
	csv     bool
	out     *bufio.Writer
	objects encode.Objects
	line    []byte // scratch: a CSV header
}

// point is a place in a generation: what the bytes that come next depend on.
type point struct {
	length int64
	header uint64 // of the CSV header at the top; 0 = none
	ragged bool   // the byte before is not a line break: somebody else wrote last
}

func newLines(csv bool, buffer int) *lines {
	return &lines{csv: csv, out: bufio.NewWriterSize(io.Discard, buffer)}
}

// takes reports whether rows fit under the header of the generation at p.
func (l *lines) takes(rows *edged.Rows, p point) bool {
	return p.length == 0 || p.header == l.header(rows)
}

// header returns the hash of the header line, which is then in l.line; 0 for NDJSON.
func (l *lines) header(rows *edged.Rows) uint64 {
	if !l.csv {
		return 0
	}
	l.line = encode.AppendCSVHeader(l.line[:0], rows.Names)
	return hashHeader(l.line)
}

func hashHeader(line []byte) uint64 {
	h := fnv.New64a()
	h.Write(line)
	return h.Sum64()
}

// put writes one delivery to l.out and moves p to its end. An error is that of the writer below.
func (l *lines) put(rows *edged.Rows, p *point) error {
	if p.ragged {
		if err := l.write(p, append(l.out.AvailableBuffer(), '\n')); err != nil {
			return err
		}
		p.ragged = false
	}
	if l.csv && p.length == 0 {
		p.header = l.header(rows)
		if err := l.write(p, l.line); err != nil {
			return err
		}
	}
	l.objects.Reset(rows)
	defer l.objects.Reset(nil)
	for i := range rows.Len() {
		// A row that fits into what is free of the buffer is encoded in place, and Write copies nothing.
		b := l.out.AvailableBuffer()
		if l.csv {
			b = encode.AppendCSVRow(b, rows, i)
		} else {
			b = append(l.objects.Append(b, i), '\n')
		}
		if err := l.write(p, b); err != nil {
			return err
		}
	}
	return nil
}

func (l *lines) write(p *point, b []byte) error {
	n, err := l.out.Write(b)
	p.length += int64(n)
	return err
}

// size is the number of bytes that put would write at p.
func (l *lines) size(rows *edged.Rows, p point) int64 {
	from := p.length
	l.out.Reset(io.Discard)
	_ = l.put(rows, &p) // io.Discard takes everything
	return p.length - from
}
