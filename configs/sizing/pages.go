package sizing

import "math"

// packed are the leaf pages that a run of elements takes, a part of one for the last: a page is filled so far, with two elements at least.
func packed(elements []float64, full float64) (pages float64) {
	in, n := 0.0, 0
	for _, e := range elements {
		if n >= 2 && in+e > full {
			pages, in, n = pages+1, 0, 0
		}
		in, n = in+e, n+1
	}
	return pages + min(1, in/full)
}

// element is what stands of an entry in its parent's leaf, and own the pages that it has besides.
func element(bytes float64) (in, own float64) {
	if bytes > inlineMost {
		return ownHead, math.Floor((bytes+33)/page) + 1
	}
	return bytes + inlineHead, 0
}

// footprint is what an entry of the block log takes of the file in the store's own count.
func footprint(bytes float64) float64 {
	in, own := element(bytes)
	if own > 0 {
		return own*page + 2*ownHead
	}
	return page / max(2, math.Floor(shelfFull/in))
}

// branches are the pages above n leaves that a change of one of them writes again.
func branches(n float64) float64 {
	depth := 1.0
	for most := float64(branchMost); n > most; most *= branchFull {
		depth++
	}
	return depth
}

// often is how many of the slots of a length, in a second, have something in them that comes at random so many times a second.
func often(rate, slot float64) float64 {
	if slot <= 0 {
		return rate
	}
	return -math.Expm1(-rate*slot) / slot
}
