package decode

import (
	"bytes"
	"fmt"
	"unicode/utf8"

	"edged"
)

// rowParser reads rows that are lines.
type rowParser interface {
	// begin says that a payload begins. It gives what is before its first row.
	begin(payload []byte) (head int, err error)
	// row reads the row that rest begins with into cols, and says how many bytes it has without its line break, and the blanks before that if they say nothing. Without cols it is only checked:
	// what passes then is read without an error later.
	row(rest []byte, cols []edged.Value) (n int, err error)
}

// lined is a Decoder of payloads whose rows are lines. Blank lines, and those that begin with comment, are passed over.
type lined struct {
	p       rowParser
	comment string // "" if there are none
	blanks  bool   // spaces and tabs before a row say nothing, and a line of them is blank
	next    int    // where the rows that were not read yet begin
	last    []byte // the row that was read last
}

// Decode implements Decoder. The first row is read at once, the others are checked: so a payload of one row is gone through once.
func (d *lined) Decode(payload []byte, cols []edged.Value) (rows int, err error) {
	clearCols(cols)
	d.last = nil
	if at, ok := invalidUTF8(payload); ok {
		return 0, lineError(payload, at, errNotUTF8)
	}
	at, err := d.p.begin(payload)
	if err != nil {
		return 0, lineError(payload, at, err)
	}
	for into := cols; ; into = nil {
		if at = d.skip(payload, at); at == len(payload) {
			return rows, nil
		}
		if rows++; rows > MaxRows {
			return 0, fmt.Errorf("more than %d rows", MaxRows)
		}
		n, err := d.p.row(payload[at:], into)
		if err != nil {
			return 0, lineError(payload, at, err)
		}
		if rows == 1 {
			d.last, d.next = payload[at:at+n], at+n
		}
		at += n
	}
}

// Next implements Decoder.
func (d *lined) Next(payload []byte, cols []edged.Value) {
	clearCols(cols)
	at := d.skip(payload, d.next)
	if at == len(payload) {
		return
	}
	n, _ := d.p.row(payload[at:], cols)
	d.last, d.next = payload[at:at+n], at+n
}

// Payload implements Decoder: the row as it came.
func (d *lined) Payload([]byte) edged.Value { return edged.TextValue(view(d.last)) }

// skip goes on to the next row.
func (d *lined) skip(payload []byte, at int) int {
	for at < len(payload) {
		switch c := payload[at]; {
		case c == '\n', c == '\r' && (at+1 == len(payload) || payload[at+1] == '\n'):
			at++
		case d.blanks && (c == ' ' || c == '\t'):
			at++
		case d.comment != "" && bytes.HasPrefix(payload[at:], []byte(d.comment)):
			at += lineLen(payload[at:])
		default:
			return at
		}
	}
	return at
}

// lineLen is the length of the line that b begins with, without its line break (\n or \r\n).
func lineLen(b []byte) int {
	n := bytes.IndexByte(b, '\n')
	if n < 0 {
		n = len(b)
	}
	if n > 0 && b[n-1] == '\r' {
		n--
	}
	return n
}

// atEnd reports whether a line ends before b.
func atEnd(b []byte) bool {
	return len(b) == 0 || b[0] == '\n' || b[0] == '\r' && (len(b) == 1 || b[1] == '\n')
}

func lineError(payload []byte, at int, err error) error {
	return fmt.Errorf("line %d: %w", bytes.Count(payload[:at], []byte("\n"))+1, err)
}

func invalidUTF8(b []byte) (at int, invalid bool) {
	if utf8.Valid(b) {
		return 0, false
	}
	for at < len(b) {
		r, n := utf8.DecodeRune(b[at:])
		if r == utf8.RuneError && n == 1 {
			break
		}
		at += n
	}
	return at, true
}
