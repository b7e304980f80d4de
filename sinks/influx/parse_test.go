package influx

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// point is a line as a server reads it.
type point struct {
	measurement string
	tags        map[string]string
	fields      map[string]any // float64, bool, string
	time        int64
}

// parseAll reads a body strictly: what no server would take, or what two servers read differently, is an error. It was written from the
// description of the protocol, without looking at the writer.
func parseAll(body string) (points []point, err error) {
	for len(body) > 0 {
		p := parser{rest: body}
		pt, err := p.line()
		if err != nil {
			return points, fmt.Errorf("%w, at %.60q of %.200q", err, p.rest, body)
		}
		points, body = append(points, pt), p.rest
	}
	return points, nil
}

type parser struct{ rest string }

func (p *parser) line() (pt point, err error) {
	if !utf8.ValidString(p.rest) {
		return pt, errors.New("not UTF-8")
	}
	if strings.HasPrefix(p.rest, "#") {
		return pt, errors.New("a comment")
	}
	pt.tags, pt.fields = map[string]string{}, map[string]any{}
	if pt.measurement, err = p.word(", ", ", "); err != nil {
		return pt, err
	}
	last := ""
	for p.take(',') {
		key, err := p.word(",= ", "=")
		if err != nil {
			return pt, err
		}
		p.take('=')
		value, err := p.word(",= ", ", ")
		if err != nil {
			return pt, err
		}
		if key <= last {
			return pt, fmt.Errorf("tag %q stands behind %q", key, last)
		}
		pt.tags[key], last = value, key
	}
	if !p.take(' ') {
		return pt, errors.New("no fields")
	}
	for more := true; more; more = p.take(',') {
		key, err := p.word(",= ", "=")
		if err != nil {
			return pt, err
		}
		p.take('=')
		if _, twice := pt.fields[key]; twice {
			return pt, fmt.Errorf("field %q is there twice", key)
		}
		if pt.fields[key], err = p.value(); err != nil {
			return pt, err
		}
	}
	if !p.take(' ') {
		return pt, errors.New("no timestamp")
	}
	digits, rest, ended := strings.Cut(p.rest, "\n")
	if !ended {
		return pt, errors.New("the line does not end")
	}
	p.rest = rest
	pt.time, err = strconv.ParseInt(digits, 10, 64)
	return pt, err
}

func (p *parser) take(c byte) bool {
	if p.rest == "" || p.rest[0] != c {
		return false
	}
	p.rest = p.rest[1:]
	return true
}

// word reads up to one of the ends. A backslash must stand before one of special, or be plainly no escape.
func (p *parser) word(special, ends string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(p.rest); i++ {
		c := p.rest[i]
		switch {
		case c == '\n' || c == '\r':
			return "", errors.New("a line break in a name")
		case c == '\\' && i+1 < len(p.rest) && strings.IndexByte(special, p.rest[i+1]) >= 0:
			i++
			b.WriteByte(p.rest[i])
		case c == '\\' && (i+1 == len(p.rest) || p.rest[i+1] == '\\' || strings.IndexByte(",= ", p.rest[i+1]) >= 0):
			return "", errors.New("a backslash that may be an escape or not")
		case strings.IndexByte(ends, c) >= 0:
			if i == 0 {
				return "", errors.New("an empty name")
			}
			p.rest = p.rest[i:]
			return b.String(), nil
		case strings.IndexByte(special, c) >= 0:
			return "", fmt.Errorf("%q must be escaped", c)
		default:
			b.WriteByte(c)
		}
	}
	return "", errors.New("the line ends in a name")
}

func (p *parser) value() (any, error) {
	if p.take('"') {
		var b strings.Builder
		for i := 0; i < len(p.rest); i++ {
			switch c := p.rest[i]; {
			case c == '"':
				p.rest = p.rest[i+1:]
				return b.String(), nil
			case c == '\\' && i+1 < len(p.rest) && (p.rest[i+1] == '"' || p.rest[i+1] == '\\'):
				i++
				b.WriteByte(p.rest[i])
			case c == '\\':
				return nil, errors.New("a backslash in text that escapes nothing")
			default:
				b.WriteByte(c)
			}
		}
		return nil, errors.New("a text does not end")
	}
	end := strings.IndexAny(p.rest, ", \n")
	if end < 1 {
		return nil, errors.New("a field without a value")
	}
	word := p.rest[:end]
	p.rest = p.rest[end:]
	switch word {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	if strings.Trim(word, "+-.0123456789eE") != "" {
		return nil, fmt.Errorf("%q is no number", word)
	}
	return strconv.ParseFloat(word, 64)
}
