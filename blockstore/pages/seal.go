package pages

import (
	"encoding/binary"
	"hash/crc32"
)

// Seal is what the store writes behind the library's bytes of a meta page when a transaction is written, and before it is synced. It names the pages that the transaction wrote, and
// their sum, so that one look at them tells whether all of them are on disk (docs/adr/0024-one-sync-a-commit.md).
type Seal struct {
	Tx   uint64
	Boot [16]byte // the run of the computer that wrote it; zeros: it has no name
	Runs []Run    // what the transaction wrote, without the meta page. None: it was synced before it was sealed, and nothing need be looked at
	Sum  uint32   // CRC32C of these pages, one after the other
}

// Run is so many pages from a number on.
type Run struct{ ID, N uint64 }

const (
	// SealAt is where a seal stands in its meta page. The library writes zeros there with the page. What comes first of it is within a sector.
	SealAt  = 1024
	sealLen = 48
	runsLen = 2048 // what names the pages may take
	sector  = 512
)

var (
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
	sealMagic  = []byte("edgeseal")
)

// Append encodes it, or returns false if it has too many runs.
func (s *Seal) Append(b []byte) ([]byte, bool) {
	var runs []byte
	end := uint64(0)
	for _, r := range s.Runs {
		runs = binary.AppendUvarint(binary.AppendUvarint(runs, r.ID-end), r.N)
		end = r.ID + r.N
	}
	if len(runs) > runsLen {
		return b, false
	}
	from, le := len(b), binary.LittleEndian
	b = append(b, sealMagic...)
	b = le.AppendUint64(b, s.Tx)
	b = append(b, s.Boot[:]...)
	b = le.AppendUint32(b, uint32(len(runs)))
	b = le.AppendUint32(b, s.Sum)
	b = le.AppendUint32(b, crc32.Checksum(runs, castagnoli))
	b = le.AppendUint32(b, crc32.Checksum(b[from:], castagnoli))
	return append(b, runs...), true
}

// SealOf reads the seal of a meta page. some is false if nothing is there but the library's zeros. good says that the first sector of it is whole, and whole that all of it is. A
// sector that is neither zeros nor good, or cannot be read, is damaged: a power cut leaves it as it was, or as it was to be.
func (f *File) SealOf(m Meta) (s Seal, some, good, whole bool) {
	at := int64(m.Page)*f.psize + SealAt
	b, err := f.Read(at, sealLen)
	if err != nil {
		return s, true, false, false
	}
	if [sealLen]byte(b) == [sealLen]byte{} {
		return s, false, false, false
	}
	le := binary.LittleEndian
	n := le.Uint32(b[32:])
	if string(b[:8]) != string(sealMagic) || n > runsLen || le.Uint32(b[44:]) != crc32.Checksum(b[:44], castagnoli) {
		return s, true, false, false
	}
	s.Tx, s.Boot, s.Sum = le.Uint64(b[8:]), [16]byte(b[16:32]), le.Uint32(b[36:])
	runs, err := f.Read(at+sealLen, n)
	if err != nil {
		return s, true, false, false
	}
	if le.Uint32(b[40:]) != crc32.Checksum(runs, castagnoli) {
		return s, true, sealLen+n > sector, false
	}
	for end := uint64(0); len(runs) > 0; {
		gap, k := binary.Uvarint(runs)
		count, l := binary.Uvarint(runs[max(k, 0):])
		if k <= 0 || l <= 0 || gap > f.Pages() || count > f.Pages() {
			return s, true, true, false
		}
		s.Runs = append(s.Runs, Run{end + gap, count})
		end, runs = end+gap+count, runs[k+l:]
	}
	return s, true, true, true
}

// Unfinished returns the good meta page with the highest number, if the power failed while its transaction was written, or the disk went: not everything of it is there, nobody was
// told that it is, and the other meta page, which is good, is in force. boot is this run of the computer.
func (f *File) Unfinished(boot [16]byte) (m Meta, is bool) {
	now, how := f.newest(boot)
	return now, how == cutOff
}

// wholeness is what a seal tells of the newest transaction.
type wholeness int

const (
	believed  wholeness = iota // whole, or nothing is known against it
	cutOff                     // not all of it came to the disk, and nobody was told that it did
	different                  // its pages are not as they were written, in the run of the computer that has written them
)

// newest returns the good meta page with the highest number, and what is known of its transaction. What has no whole seal of its own, where seals are made, was not synced. If the pages
// do not have the seal's sum, the power failed, if that was in another run of the computer. In the same run it is damage for all that can be known: whoever was killed has left to the
// kernel everything that it wrote. A page that cannot be read may have been good: that is damage, too.
func (f *File) newest(boot [16]byte) (Meta, wholeness) {
	both := f.Metas()
	now, before := both[0], both[1]
	if before.Tx > now.Tx {
		now, before = before, now
	}
	if now.Err != nil || before.Err != nil || now.Tx != before.Tx+1 || f.Pages() < now.High { // the file grows before a transaction is written
		return now, believed
	}
	seal, some, good, whole := f.SealOf(now)
	_, sealed, _, _ := f.SealOf(before)
	switch {
	case some && !good: // a power cut does not do that
		return now, believed
	case !some && !sealed: // of an earlier version, or new
		return now, believed
	case !some, seal.Tx != now.Tx, !whole:
		return now, cutOff
	}
	switch sum, err := f.Sum(seal.Runs); {
	case err == nil && sum == seal.Sum:
		return now, believed
	case err != nil, seal.Boot == boot && boot != [16]byte{}:
		return now, different
	}
	return now, cutOff
}

// Sum is the CRC32C of pages.
func (f *File) Sum(runs []Run) (sum uint32, err error) {
	b := make([]byte, min(64<<10, f.psize*8))
	for _, r := range runs {
		for at, end := int64(r.ID)*f.psize, int64(r.ID+r.N)*f.psize; at < end; {
			part := b[:min(int64(len(b)), end-at)]
			if _, err := f.r.ReadAt(part, at); err != nil {
				return 0, err
			}
			sum = crc32.Update(sum, castagnoli, part)
			at += int64(len(part))
		}
	}
	return sum, nil
}

// Withdrawn is what is to be written to a meta page that is Unfinished, the whole page: it says what the other one does, under the number before that.
func (f *File) Withdrawn(m Meta) ([]byte, error) {
	b, err := f.Read(int64(1-m.Page)*f.psize, uint32(f.psize))
	if err != nil {
		return nil, err
	}
	le := binary.LittleEndian
	clear(b[headerLen+metaLen:])
	le.PutUint64(b, m.Page)
	body := b[headerLen:]
	le.PutUint64(body[48:], m.Tx-2)
	le.PutUint64(body[56:], checksum(body))
	return b, nil
}
