package pages

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"testing"
)

// sheet is a file of two meta pages, of transactions 8 and 9, and 30 pages behind.
type sheet []byte

func newSheet() sheet {
	b := make(sheet, 32*4096)
	for i := 2 * 4096; i < len(b); i++ {
		b[i] = byte(i * 7 / 13)
	}
	for i := range uint64(2) {
		le, at := binary.LittleEndian, b[i*4096:]
		le.PutUint64(at, i)
		m := at[headerLen:]
		le.PutUint32(m, magic)
		le.PutUint32(m[4:], version)
		le.PutUint32(m[8:], 4096)
		le.PutUint64(m[16:], 5+i) // root
		le.PutUint64(m[32:], NoFreelist)
		le.PutUint64(m[40:], 32)
		le.PutUint64(m[48:], 8+i)
		le.PutUint64(m[56:], checksum(m))
	}
	return b
}

func (b sheet) file() *File { return New(bytes.NewReader(b), int64(len(b)), 4096) }

// seal seals the transaction of a meta page, as written in a run of the computer.
func (b sheet) seal(page int, boot byte, runs ...Run) {
	sum, _ := b.file().Sum(runs)
	s := Seal{Tx: uint64(8 + page), Boot: [16]byte{boot}, Runs: runs, Sum: sum}
	text, _ := s.Append(nil)
	copy(b[page*4096+SealAt:], text)
}

func TestSeals(t *testing.T) {
	few, many := []Run{{5, 1}, {7, 3}, {20, 1}}, []Run{}
	for i := range uint64(500) {
		many = append(many, Run{2 + 3*i, 1})
	}
	far := []Run{{1 << 40, 1 << 20}}
	for _, runs := range [][]Run{nil, few, many} {
		b := newSheet()
		b = append(b, make(sheet, 4096*2000)...)
		b.seal(1, 3, runs...)
		s, some, good, whole := b.file().SealOf(b.file().Metas()[1])
		if !some || !good || !whole || s.Tx != 9 || s.Boot != [16]byte{3} || !slices.Equal(s.Runs, runs) {
			t.Errorf("%d runs: read %+v, %v %v %v", len(runs), s, some, good, whole)
		}
	}
	s := Seal{Runs: far}
	text, _ := s.Append(nil)
	b := newSheet()
	copy(b[4096+SealAt:], text)
	if _, _, _, whole := b.file().SealOf(b.file().Metas()[1]); whole {
		t.Error("it names pages that the file has not, and is believed")
	}
	for range 3 {
		many = append(many, many...)
	}
	for i := range many {
		many[i] = Run{uint64(2 + 300*i), 1}
	}
	s = Seal{Runs: many}
	if _, fits := s.Append(nil); fits {
		t.Error("it does not say that it is too long")
	}
}

// A transaction is taken back if it is not whole and nobody can have been told that it is; what is damaged is not.
func TestUnfinished(t *testing.T) {
	const before, now = 4, 7 // runs of the computer
	pages := []Run{{10, 2}, {20, 1}}
	for _, c := range []struct {
		name string
		make func(b sheet)
		is   bool
	}{
		{"nothing is sealed", func(sheet) {}, false},
		{"whole", func(b sheet) { b.seal(0, before); b.seal(1, before, pages...) }, false},
		{"not sealed, after one that was", func(b sheet) { b.seal(0, before, pages...) }, true},
		{"not sealed, after one that was, in this run", func(b sheet) { b.seal(0, now, pages...) }, true},
		{"not sealed, after one that was settled", func(b sheet) { b.seal(0, 0) }, true},
		{"settled", func(b sheet) { b.seal(1, 0); b[10*4096+99]++ }, false},
		{"with the seal of the one that its page had before", func(b sheet) {
			b.seal(0, before)
			s := Seal{Tx: 7, Boot: [16]byte{before}}
			text, _ := s.Append(nil)
			copy(b[4096+SealAt:], text)
		}, true},
		{"a page is not as it was written", func(b sheet) { b.seal(0, before); b.seal(1, before, pages...); b[20*4096+4095]++ }, true},
		{"a page is not as it was written, in this run", func(b sheet) { b.seal(0, before); b.seal(1, now, pages...); b[20*4096+4095]++ }, false},
		{"a page is not as it was written, by a computer whose runs have no names", func(b sheet) { b.seal(1, 0, pages...); b[20*4096]++ }, true},
		{"another page", func(b sheet) { b.seal(0, before); b.seal(1, before, pages...); b[21*4096]++; b[9*4096+4095]++ }, false},
		{"its seal is in two sectors, and the second is not there", func(b sheet) {
			var many []Run
			for i := range uint64(600) {
				many = append(many, Run{2 + 2*i, 1})
			}
			b.seal(0, before)
			b.seal(1, before, many...)
			clear(b[4096+SealAt+sector : 2*4096])
		}, true},
		{"its seal is in one sector, and a part of it is damaged", func(b sheet) { b.seal(1, before, pages...); b[4096+SealAt+sealLen]++ }, false},
		{"its seal is damaged", func(b sheet) { b.seal(0, before); b.seal(1, before, pages...); b[4096+SealAt+9]++; b[20*4096]++ }, false},
		{"the seal of the one before is damaged", func(b sheet) { b.seal(0, before); b.seal(1, before, pages...); b[SealAt+9]++ }, false},
		{"the page of the one before is damaged", func(b sheet) { b.seal(0, before); b[20]++ }, false},
	} {
		b := newSheet()
		c.make(b)
		m, is := b.file().Unfinished([16]byte{now})
		if is != c.is || is && m.Tx != 9 {
			t.Errorf("%s: transaction %d is taken back: %v", c.name, m.Tx, is)
		}
		good, _ := b.file().InForce([16]byte{now})
		if want := map[bool]uint64{true: 8, false: 9}[c.is]; c.name != "the page of the one before is damaged" && good[0].Tx != want {
			t.Errorf("%s: transaction %d is in force", c.name, good[0].Tx)
		}
		if !is {
			continue
		}
		page, err := b.file().Withdrawn(m)
		if err != nil {
			t.Fatal(err)
		}
		copy(b[4096:], page)
		if good, bad := b.file().InForce([16]byte{now}); len(good) != 2 || len(bad) > 0 || good[0].Tx != 8 || good[1].Tx != 7 || good[1].Root != good[0].Root {
			t.Errorf("%s: taken back, the meta pages are %+v, %v", c.name, good, bad)
		}
	}
}

// badSector is a file with bytes that cannot be read.
type badSector struct {
	*bytes.Reader
	from, to int64
}

func (r badSector) ReadAt(b []byte, at int64) (int, error) {
	if at < r.to && at+int64(len(b)) > r.from {
		return 0, errors.New("input/output error")
	}
	return r.Reader.ReadAt(b, at)
}

// What cannot be read, or is not in the file, may have been there when somebody was told that it is durable.
func TestWhatCannotBeReadIsNotTakenBack(t *testing.T) {
	b := newSheet()
	b.seal(0, 4)
	b.seal(1, 4, Run{10, 2}, Run{20, 1})
	for _, from := range []int64{4096 + SealAt, 4096 + SealAt + sealLen, 10 * 4096, 20*4096 + 512} {
		f := New(badSector{bytes.NewReader(b), from, from + 1}, int64(len(b)), 4096)
		if _, is := f.Unfinished([16]byte{7}); is {
			t.Errorf("byte %d cannot be read, and the transaction is taken back", from)
		}
		if _, bad := f.InForce([16]byte{7}); from > 8192 && len(bad) == 0 {
			t.Errorf("byte %d cannot be read, and nothing is told", from)
		}
	}
	for cut := range int64(len(b)) {
		f := New(bytes.NewReader(b[:cut]), cut, 4096)
		if _, is := f.Unfinished([16]byte{7}); is {
			t.Fatalf("the file has %d bytes, and the transaction is taken back", cut)
		}
	}
}
