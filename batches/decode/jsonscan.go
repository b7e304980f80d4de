package decode

import (
	"slices"
	"strconv"

	"edged"
)

// jsonNode is a place in a payload that columns are at, or below. The root is the payload itself.
type jsonNode struct {
	name  string
	index int   // name as the index of an array's element; -1 if it is none
	slots []int // the columns that are what is here
	kids  []*jsonNode
	found found // in the object that is being read
}

// found says whether a name has been seen in an object. The first one counts; one that is spelled as it is asked for wins over one with escapes.
type found uint8

const (
	notYet found = iota
	byEscapes
	asSpelled
)

// kid returns the node of a name below n, and makes it if there is none.
func (n *jsonNode) kid(name string) *jsonNode {
	for _, k := range n.kids {
		if k.name == name {
			return k
		}
	}
	k := &jsonNode{name: name, index: -1}
	if i, err := strconv.Atoi(name); err == nil && i >= 0 {
		k.index = i
	}
	n.kids = append(n.kids, k)
	return k
}

// jsonScan goes once through a payload. Its methods take where something begins in b, and return where it ends, or -1 if it is not valid; a nil
// node is something that nobody asks for.
type jsonScan struct {
	b     []byte
	cols  []edged.Value
	texts []byte // those that are not as they are in the payload
	from  []int  // of each column, where its value begins; nil: nobody asks
}

// whole reports whether the payload is one valid value, that begins at from. That its texts are UTF-8 is seen to where they are read: all else is ASCII.
func (s *jsonScan) whole(from int, n *jsonNode) bool {
	end := s.value(from, n, 0)
	return end >= 0 && skipSpace(s.b, end) == len(s.b)
}

func (s *jsonScan) value(i int, n *jsonNode, depth int) (end int) {
	if i >= len(s.b) {
		return -1
	}
	var slots []int
	if n != nil && len(n.slots) > 0 {
		slots = n.slots
		s.note(n, i)
	}
	switch s.b[i] {
	case '{':
		end = s.object(i, n, depth+1)
	case '[':
		end = s.array(i, n, depth+1)
	default:
		return s.scalar(i, slots)
	}
	if len(slots) > 0 && end >= 0 {
		s.set(slots, edged.JSONValue(s.compact(s.b[i:end])))
	}
	return end
}

func (s *jsonScan) set(slots []int, v edged.Value) {
	for _, slot := range slots {
		s.cols[slot] = v
	}
}

// note says where the value of a node begins, if anybody asks: -1 if there is none.
func (s *jsonScan) note(n *jsonNode, at int) {
	if s.from == nil {
		return
	}
	for _, slot := range n.slots {
		s.from[slot] = at
	}
}

func (s *jsonScan) object(i int, n *jsonNode, depth int) int {
	b := s.b
	if depth > maxDepth {
		return -1
	}
	if i = skipSpace(b, i+1); i < len(b) && b[i] == '}' {
		return i + 1
	}
	if n != nil {
		for _, k := range n.kids {
			k.found = notYet
		}
	}
	for {
		if i >= len(b) || b[i] != '"' {
			return -1
		}
		end, escaped := jsonString(b, i)
		if end < 0 {
			return -1
		}
		var kid *jsonNode
		if n != nil && len(n.kids) > 0 {
			kid = s.find(n, b[i+1:end-1], escaped)
		}
		if i = skipSpace(b, end); i >= len(b) || b[i] != ':' {
			return -1
		}
		if i = s.value(skipSpace(b, i+1), kid, depth); i < 0 {
			return -1
		}
		if i = skipSpace(b, i); i >= len(b) {
			return -1
		}
		switch b[i] {
		case ',':
			i = skipSpace(b, i+1)
		case '}':
			return i + 1
		default:
			return -1
		}
	}
}

// find returns the node below n whose value follows the key: nil if nobody asks for it, or has it already.
func (s *jsonScan) find(n *jsonNode, key []byte, escaped bool) *jsonNode {
	how := asSpelled
	if escaped {
		had := len(s.texts)
		s.texts = appendUnescaped(s.texts, key)
		key, how = s.texts[had:], byEscapes
		s.texts = s.texts[:had] // it is looked at before anything else is put there
	}
	for _, k := range n.kids {
		if k.name != string(key) {
			continue
		}
		if k.found >= how {
			return nil
		}
		if k.found != notYet {
			s.clear(k)
		}
		k.found = how
		return k
	}
	return nil
}

// clear takes back what was read at a node and below it.
func (s *jsonScan) clear(n *jsonNode) {
	s.set(n.slots, edged.Value{})
	s.note(n, -1)
	for _, k := range n.kids {
		s.clear(k)
	}
}

func (s *jsonScan) array(i int, n *jsonNode, depth int) int {
	b := s.b
	if depth > maxDepth {
		return -1
	}
	if i = skipSpace(b, i+1); i < len(b) && b[i] == ']' {
		return i + 1
	}
	for element := 0; ; element++ {
		end := 0 // of the element
		if n != nil {
			for _, k := range n.kids { // 1 and 01 are the same element
				if k.index == element {
					end = s.value(i, k, depth)
				}
			}
		}
		if end == 0 {
			end = s.value(i, nil, depth)
		}
		if end < 0 {
			return -1
		}
		if i = skipSpace(b, end); i >= len(b) {
			return -1
		}
		switch b[i] {
		case ',':
			i = skipSpace(b, i+1)
		case ']':
			return i + 1
		default:
			return -1
		}
	}
}

// compact is a valid value without the blanks between its tokens.
func (s *jsonScan) compact(b []byte) string {
	if !slices.ContainsFunc(b, isSpace) {
		return view(b)
	}
	from, text := len(s.texts), false
	for i := 0; i < len(b); i++ {
		c := b[i]
		if !text && isSpace(c) {
			continue
		}
		s.texts = append(s.texts, c)
		switch {
		case c == '"':
			text = !text
		case c == '\\':
			i++
			s.texts = append(s.texts, b[i])
		}
	}
	return view(s.texts[from:])
}
