package receiver

import (
	"hash/maphash"
	"slices"

	"edged/internal/lately"
)

// dictionary gives the topics of the open block their numbers, in the order in which they come, and keeps their texts one behind the other.
// It is used again for block after block, and what it takes goes with the topics of one block: however many there are, none
// is remembered longer.
type dictionary struct {
	seed   maphash.Seed
	slots  []uint32 // by hash: the number of a topic, from 1 on; 0 is free. Their number is a power of two, and a quarter is always free.
	hashes []uint32 // by number
	ends   []uint32 // by number: where its text ends
	text   []byte

	topicsOf, bytesOf lately.Most // a block, and their texts
}

const fewestSlots = 64

// begin empties it. It stays as large as it was, unless its latest blocks have used little of that.
func (d *dictionary) begin() {
	most, over := d.topicsOf.Note(len(d.ends))
	widest, _ := d.bytesOf.Note(len(d.text))
	if d.slots == nil || over && (len(d.slots) > max(fewestSlots, 16*most) || cap(d.text) > 8*widest+4096) {
		*d = dictionary{seed: maphash.MakeSeed(), slots: make([]uint32, fewestSlots)}
		return
	}
	clear(d.slots)
	d.hashes, d.ends, d.text = d.hashes[:0], d.ends[:0], d.text[:0]
}

// number returns the number of a topic, counted from 0, of which it gets a copy if it is new.
func (d *dictionary) number(name string) (n uint32, isNew bool) {
	h := uint32(maphash.String(d.seed, name))
	mask := uint32(len(d.slots) - 1)
	i := h & mask
	for ; d.slots[i] != 0; i = (i + 1) & mask {
		if n = d.slots[i] - 1; d.hashes[n] == h && string(d.textOf(n)) == name {
			return n, false
		}
	}
	n = uint32(len(d.ends))
	d.slots[i] = n + 1
	d.text = append(d.text, name...)
	d.hashes, d.ends = append(d.hashes, h), append(d.ends, uint32(len(d.text)))
	if 4*len(d.ends) > 3*len(d.slots) {
		d.grow()
	}
	return n, true
}

func (d *dictionary) textOf(n uint32) []byte {
	from := uint32(0)
	if n > 0 {
		from = d.ends[n-1]
	}
	return d.text[from:d.ends[n]]
}

func (d *dictionary) grow() {
	d.slots = make([]uint32, 2*len(d.slots))
	mask := uint32(len(d.slots) - 1)
	for n, h := range d.hashes {
		i := h & mask
		for d.slots[i] != 0 {
			i = (i + 1) & mask
		}
		d.slots[i] = uint32(n) + 1
	}
}

// topics returns the texts by number. They share one memory.
func (d *dictionary) topics() []string {
	text, from := string(d.text), uint32(0)
	names := slices.Grow([]string(nil), len(d.ends))
	for _, end := range d.ends {
		names = append(names, text[from:end])
		from = end
	}
	return names
}
