package blockstore

// What the file's library puts around an entry, in bytes.
const (
	aroundEntry  = 33 // in a page of its own
	aroundInline = 74 // in its parent's page, where an entry of up to a quarter of a page is
	aroundOwn    = 41 // what its parent's page has of an entry with pages of its own

	mostInline = pageSize/4 - aroundEntry // a longer entry has pages of its own
)

// appended is how far pages are filled to which only is added at their end. The library leaves them half empty.
const (
	appended = 0.9
	filled   = pageSize * 9 / 10
)

// footprint is what an entry of so many bytes takes of the file, about: a small one takes several times its bytes, and it is the file that gets full. Entries
// that come in order fill a page as far as appended says, and there are two in it at least.
func footprint(bytes int) uint64 {
	if bytes <= mostInline {
		return uint64(pageSize / max(2, filled/(bytes+aroundInline)))
	}
	return uint64((bytes+aroundEntry)/pageSize+1)*pageSize + 2*aroundOwn
}
