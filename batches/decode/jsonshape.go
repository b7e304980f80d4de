package decode

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// A jsonShape is what the payloads of a sensor have in common, which differ in their values only. It is learnt from a payload that was read as a
// whole: one that has the same bytes around its scalars, and some valid scalar wherever that one had one, is as valid, and its columns are at the same
// places. It says nothing of any other. So what is known of shapes changes how long a payload takes, and nothing else (TestShapesChangeNothing).
type jsonShape struct {
	places []jsonPlace
	rest   []byte // what stands behind the last of them
	uses   int    // see jsonShapes.learn

	texts []byte // the memory of what stands around the places
	slots []int  // that of their columns
}

// jsonPlace is a scalar.
type jsonPlace struct {
	before []byte // what stands before it
	slots  []int  // the columns that it is: most are none

	first, mask uint64 // the first eight bytes of before; which of them there are
	last        uint64 // the last eight, if there are as many
}

// wide says that eight bytes at once are more than one at a time.
const wide = bits.UintSize == 64

// read reads the payload of s if it is of the shape. If it is not, s may have been written to.
func (h *jsonShape) read(s *jsonScan) bool {
	b, i := s.b, 0
	for k := range h.places {
		p := &h.places[k]
		n := len(p.before)
		switch left := len(b) - i; {
		case wide && n <= 8 && left > 8:
			if (binary.LittleEndian.Uint64(b[i:])^p.first)&p.mask != 0 {
				return false
			}
		case left <= n:
			return false
		case wide && n > 8 && n <= 16:
			if binary.LittleEndian.Uint64(b[i:]) != p.first || binary.LittleEndian.Uint64(b[i+n-8:]) != p.last {
				return false
			}
		case string(b[i:i+n]) != string(p.before):
			return false
		}
		if i += n; len(p.slots) == 0 && b[i]-'0' <= 9 {
			i = jsonNumber(b, i)
		} else {
			i = s.scalar(i, p.slots)
		}
		if i < 0 {
			return false
		}
	}
	return string(b[i:]) == string(h.rest)
}

// The bounds of a shape.
const (
	maxShape  = 1 << 10 // bytes of the payload
	maxPlaces = 64
)

// learn makes h the shape of a valid payload, whose columns begin where from says, -1 being nowhere. It reports false of one that no shape is made
// of: it is large, or an object or array in it is a column.
func (h *jsonShape) learn(b []byte, from []int) bool {
	if len(b) > maxShape {
		return false
	}
	for _, at := range from {
		if at >= 0 && (b[at] == '{' || b[at] == '[') {
			return false
		}
	}
	h.places, h.texts, h.slots = h.places[:0], slices.Grow(h.texts[:0], len(b)), slices.Grow(h.slots[:0], len(from)) // so that neither moves
	done := 0                                                                                                        // of texts, what stands before the places
	for i := 0; i < len(b); {
		end, scalar := jsonToken(b, i)
		if !scalar {
			h.texts = append(h.texts, b[i:end]...)
		} else if len(h.places) == maxPlaces {
			return false
		} else {
			h.place(h.texts[done:], i, from)
			done = len(h.texts)
		}
		i = end
	}
	h.rest = h.texts[done:]
	return true
}

// place notes a scalar at i, behind what stands before it: the columns that begin there are it.
func (h *jsonShape) place(before []byte, i int, from []int) {
	p, had := jsonPlace{before: before}, len(h.slots)
	for slot, at := range from {
		if at == i {
			h.slots = append(h.slots, slot)
		}
	}
	p.slots = h.slots[had:]
	n := len(p.before)
	var word [8]byte
	copy(word[:], p.before)
	p.first, p.mask = binary.LittleEndian.Uint64(word[:]), 1<<(8*n)-1 // all of them, if there are more than eight
	if n >= 8 {
		p.last = binary.LittleEndian.Uint64(p.before[n-8:])
	}
	h.places = append(h.places, p)
}

// jsonToken returns where the token, or the blank, at i ends in a valid payload, and whether it is a scalar. The name of a field is none.
func jsonToken(b []byte, i int) (end int, scalar bool) {
	switch c := b[i]; {
	case c == '"':
		end, _ = jsonString(b, i)
		next := skipSpace(b, end)
		return end, next == len(b) || b[next] != ':'
	case c == '-' || c >= '0' && c <= '9':
		return jsonNumber(b, i), true
	case c >= 'a' && c <= 'z':
		for end = i + 1; end < len(b) && b[end] >= 'a' && b[end] <= 'z'; end++ {
		}
		return end, true
	}
	return i + 1, false
}
