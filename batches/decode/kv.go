package decode

import (
	"bytes"
	"errors"
	"fmt"

	"edged"
)

// KV is the kind kv: lines of key=value pairs between blanks, commas or semicolons. Each line is a row, each key a column; of two equal
// keys the last one counts. A value in double quotes is text, in which \" \\ \n \r and \t stand for one character; of others, numbers and booleans
// are recognised, and one that is empty is null.
var KV = Kind{
	Open: Flat, Many: true, PayloadName: "payload",
	New: func(paths [][]string) Decoder {
		d := &kvDecoder{names: namesOf(paths), keep: make([]bool, len(paths))}
		d.lined = lined{p: d, blanks: true}
		return d
	},
}

type kvDecoder struct {
	lined
	names names
	keep  []bool
	texts []byte // those that are not as they are in the payload
}

// KeepText implements Hinted.
func (d *kvDecoder) KeepText(i int) { d.keep[i] = true }

func (d *kvDecoder) begin([]byte) (int, error) {
	d.texts = emptied(d.texts)
	return 0, nil
}

func (d *kvDecoder) row(rest []byte, cols []edged.Value) (int, error) {
	line := rest[:lineLen(rest)]
	for at, pairs := 0, 0; ; pairs++ {
		for at < len(line) && isSeparator(line[at]) {
			at++
		}
		if at == len(line) && pairs > 0 {
			return at, nil
		}
		key := line[at:]
		for at < len(line) && !isSeparator(line[at]) && line[at] != '=' && line[at] != '"' {
			at++
		}
		key = key[:len(key)-(len(line)-at)]
		if len(key) == 0 || at == len(line) || line[at] != '=' {
			return 0, fmt.Errorf("at character %d: want key=value", at+1)
		}
		n, err := d.value(line[at+1:], d.names.slot(key), cols)
		if err != nil {
			return 0, fmt.Errorf("the value of %q: %w", clip(key), err)
		}
		at += 1 + n
	}
}

// value reads the value that b begins with into cols[slot], and says how long it is.
func (d *kvDecoder) value(b []byte, slot int, cols []edged.Value) (n int, err error) {
	wanted := cols != nil && slot >= 0
	if len(b) == 0 || b[0] != '"' {
		for n < len(b) && !isSeparator(b[n]) {
			n++
		}
		if wanted && d.keep[slot] {
			cols[slot] = edged.TextValue(view(b[:n]))
		} else if wanted {
			cols[slot] = scalar(b[:n])
		}
		return n, nil
	}
	if n = quotedLen(b); n < 0 {
		return 0, errOpenQuote
	}
	if n < len(b) && !isSeparator(b[n]) {
		return 0, errAfterQuote
	}
	if wanted {
		cols[slot] = edged.TextValue(d.unescape(b[1 : n-1]))
	}
	return n, nil
}

var (
	errOpenQuote  = errors.New("a quote that is not closed")
	errAfterQuote = errors.New("something follows the closing quote")
)

// quotedLen is the length of the text in double quotes that b begins with, the quotes included; a backslash takes the next character along. It is
// -1 if the text does not end.
func quotedLen(b []byte) int {
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return -1
}

func (d *kvDecoder) unescape(b []byte) string {
	if bytes.IndexByte(b, '\\') < 0 {
		return view(b)
	}
	from := len(d.texts)
	for i := 0; i < len(b); i++ {
		c := b[i]
		if c == '\\' && i+1 < len(b) {
			i++
			switch c = b[i]; c {
			case 'n':
				c = '\n'
			case 'r':
				c = '\r'
			case 't':
				c = '\t'
			case '"', '\\':
			default:
				d.texts = append(d.texts, '\\') // it stands for itself
			}
		}
		d.texts = append(d.texts, c)
	}
	return view(d.texts[from:])
}

func isSeparator(c byte) bool { return c == ' ' || c == ',' || c == ';' || c == '\t' }

// emptied is a buffer for the texts of the next payload. A large one is let go: the next payload of its size may be long in coming.
func emptied(b []byte) []byte {
	if cap(b) > largePayload {
		return nil
	}
	return b[:0]
}
