package decode

import "slices"

// jsonShapes are the shapes that a decoder knows, the one that fitted last first.
type jsonShapes struct {
	known []*jsonShape
	spare *jsonShape // the memory of a further one
	worth int        // payloads that fitted, less those that did not
	rest  int        // so many payloads are read as a whole, before anything is learnt
}

// The bounds of what is known.
const (
	maxShapes = 8
	maxWorth  = 256
	minWorth  = -32
	longRest  = 1000
)

// read reads the payload of s if it is of a known shape. If it is not, s is as it was: a shape that fits as far as a column takes back what it has read there, or
// another one, in which that column is nowhere, would leave it.
func (k *jsonShapes) read(s *jsonScan) bool {
	for i, h := range k.known {
		if !h.read(s) {
			clearCols(s.cols)
			s.texts = s.texts[:0]
			continue
		}
		h.uses, k.worth = min(h.uses+1, maxWorth), min(k.worth+1, maxWorth)
		if i > 0 {
			copy(k.known[1:], k.known[:i])
			k.known[0] = h
		}
		return true
	}
	return false
}

// learn takes the payload of s, which is valid and of no known shape. Its shape becomes known if there is room: one that is often of use keeps its
// place (as in Misra and Gries, "Finding repeated elements", 1982). If most payloads are of no known shape, to look for one is not worth it: all are
// forgotten for a while.
func (k *jsonShapes) learn(s *jsonScan) {
	if k.rest > 0 {
		k.rest--
		return
	}
	if k.worth--; k.worth < minWorth {
		*k = jsonShapes{rest: longRest}
		return
	}
	at := len(k.known)
	if at == maxShapes {
		if at = slices.IndexFunc(k.known, func(h *jsonShape) bool { return h.uses == 0 }); at < 0 {
			for _, h := range k.known {
				h.uses--
			}
			return
		}
	}
	if k.spare == nil {
		k.spare = &jsonShape{}
	}
	h := k.spare
	if !h.learn(s.b, s.from) {
		return
	}
	h.uses, k.spare = 1, nil
	if at == len(k.known) {
		k.known = append(k.known, h)
	} else {
		k.known[at], k.spare = h, k.known[at]
	}
}
