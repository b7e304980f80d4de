package conf

import (
	"strconv"
	"strings"
)

// scan walks valid TOML text and notes the line and order of every key. It knows just enough of the syntax to tell keys
// from values: headers, dotted and quoted keys, strings of four kinds, arrays and inline tables over several lines.
func scan(text []byte) (lines map[string]int, order map[string][]string) {
	s := &scanner{text: string(text), line: 1, lines: map[string]int{}, order: map[string][]string{}}
	var table []string
	for s.skipBlank(); s.pos < len(s.text); s.skipBlank() {
		if s.peek() == '[' {
			s.pos++
			if s.peek() == '[' {
				s.pos++
			}
			table = s.key(nil)
			s.skipTo('\n')
			continue
		}
		s.pair(table)
		s.skipTo('\n')
	}
	return s.lines, s.order
}

type scanner struct {
	text  string
	pos   int
	line  int
	lines map[string]int
	order map[string][]string
}

func (s *scanner) peek() byte {
	if s.pos < len(s.text) {
		return s.text[s.pos]
	}
	return 0
}

// skipBlank passes white space, line breaks and comments.
func (s *scanner) skipBlank() {
	for s.pos < len(s.text) {
		switch s.text[s.pos] {
		case '\n':
			s.line++
			s.pos++
		case ' ', '\t', '\r', ',':
			s.pos++
		case '#':
			s.skipTo('\n')
		default:
			return
		}
	}
}

func (s *scanner) skipTo(c byte) {
	for s.pos < len(s.text) && s.text[s.pos] != c {
		s.pos++
	}
}

// key reads a key, dotted perhaps, below a table, and notes each part of it that is new.
func (s *scanner) key(under []string) []string {
	path := under[:len(under):len(under)]
	for {
		s.spaces()
		var part string
		switch c := s.peek(); c {
		case '"', '\'':
			part = s.str()
		default:
			from := s.pos
			for s.pos < len(s.text) && !strings.ContainsRune(".=] \t\r\n", rune(s.text[s.pos])) {
				s.pos++
			}
			part = s.text[from:s.pos]
		}
		s.note(path, part)
		path = append(path, part)
		s.spaces()
		if s.peek() != '.' {
			return path
		}
		s.pos++
	}
}

func (s *scanner) spaces() {
	for s.peek() == ' ' || s.peek() == '\t' {
		s.pos++
	}
}

func (s *scanner) note(table []string, key string) {
	full := joinPath(append(table[:len(table):len(table)], key))
	if _, ok := s.lines[full]; ok {
		return
	}
	s.lines[full] = s.line
	at := joinPath(table)
	s.order[at] = append(s.order[at], key)
}

func (s *scanner) pair(table []string) {
	path := s.key(table)
	s.spaces()
	if s.peek() == '=' {
		s.pos++
	}
	s.value(path)
}

// value passes one value; the keys of inline tables are noted below path.
func (s *scanner) value(path []string) {
	s.spaces()
	switch s.peek() {
	case '"', '\'':
		s.str()
	case '[':
		s.pos++
		for s.skipBlank(); s.pos < len(s.text) && s.peek() != ']'; s.skipBlank() {
			s.value(append(path[:len(path):len(path)], "[]"))
		}
		s.pos++
	case '{':
		s.pos++
		for s.skipBlank(); s.pos < len(s.text) && s.peek() != '}'; s.skipBlank() {
			s.pair(path)
		}
		s.pos++
	default:
		for s.pos < len(s.text) && !strings.ContainsRune(",]}#\n", rune(s.text[s.pos])) {
			s.pos++
		}
	}
}

// str passes a string and returns what it says (escapes resolved for the plain quoted keys that need it).
func (s *scanner) str() string {
	q := s.text[s.pos : s.pos+1]
	if triple := strings.Repeat(q, 3); strings.HasPrefix(s.text[s.pos:], triple) {
		from := s.pos + 3
		for s.pos = from; s.pos < len(s.text) && !strings.HasPrefix(s.text[s.pos:], triple); s.pos++ {
			switch s.text[s.pos] {
			case '\n':
				s.line++
			case '\\':
				if q == `"` {
					s.pos++
					if s.peek() == '\n' {
						s.line++
					}
				}
			}
		}
		end := min(s.pos, len(s.text))
		s.pos = min(s.pos+3, len(s.text))
		for s.peek() == q[0] { // a quote may stand directly before the closing three
			s.pos++
		}
		return s.text[from:end]
	}
	from := s.pos
	for s.pos++; s.pos < len(s.text) && s.text[s.pos] != q[0]; s.pos++ {
		if s.text[s.pos] == '\\' && q == `"` {
			s.pos++
		}
	}
	s.pos = min(s.pos+1, len(s.text))
	raw := s.text[from:s.pos]
	if q == `"` {
		if u, err := strconv.Unquote(raw); err == nil {
			return u
		}
	}
	return strings.Trim(raw, q)
}
