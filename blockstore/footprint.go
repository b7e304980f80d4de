package blockstore

// What the file's library puts around an entry, in bytes.
const (
	aroundEntry  = 33 // in a page of its own
	aroundInline = 74 // in its parent's page, where an entry of up to a quarter of a page is
	aroundOwn    = 41 // what its parent's page has of an entry with pages of its own

	mostInline = pageSize/4 - aroundEntry // a longer entry has pages of its own
)

// footprint is what an entry of the block log of so many bytes takes of the file, about: a small one takes several times its bytes, and it is the file that gets full.
// The pages of the shelf, where entries come to stand, are filled, and there are two entries in one at least.
func footprint(bytes int) uint64 { return among(bytes, pageSize-16) }

// resultFootprint is that of an entry of a result log. Those stand at the top level, whose pages are filled up to a half.
func resultFootprint(bytes int) uint64 { return among(bytes, pageSize/2) }

// among is what an entry takes if those in its parent's page are to take so much of it.
func among(bytes, filled int) uint64 {
	if bytes <= mostInline {
		return uint64(pageSize / max(2, filled/(bytes+aroundInline)))
	}
	return uint64((bytes+aroundEntry)/pageSize+1)*pageSize + 2*aroundOwn
}
