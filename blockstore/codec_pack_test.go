package blockstore

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"reflect"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"edged"

	"go.etcd.io/bbolt"
	"golang.org/x/time/rate"
	"pgregory.net/rapid"
)

// packedBlock is what appendBlock writes, packed if it pays.
func packedBlock(h header, blk *edged.Block) []byte {
	return seal(pack(appendUnsealed(nil, h, boot{}, blk)))
}

// Packed or not, a block reads as it was written, and what salvage looks at is where it always is. It is packed only if it takes less of the file.
func TestPackedBlocksReadAsWritten(t *testing.T) {
	some := 0
	rapid.Check(t, func(t *rapid.T) {
		b := drawBlock(t)
		if alike := rapid.IntRange(0, 60).Draw(t, "alike"); b.Len() > 0 {
			for i := range alike {
				b.Topic, b.Arrival, b.Flags = append(b.Topic, 0), append(b.Arrival, b.Cut.Wall), append(b.Flags, 1)
				b.Data = fmt.Appendf(b.Data, `{"value":%d.5,"unit":"C"}`, i)
				b.End = append(b.End, uint32(len(b.Data)))
			}
			if rapid.Bool().Draw(t, "extras") {
				b.Extras = []edged.BlockExtra{{Index: 0, Data: []byte("an extra")}}
			}
		}
		h := header{seq: b.Seq, start: 7}
		plain, v := appendBlock(nil, h, boot{}, b), packedBlock(h, b)
		was, ok := readHeader(plain)
		if is, fine := readHeader(v); !ok || !fine || is != was || !bytes.Equal(v[headerLen:clearLen], plain[headerLen:clearLen]) {
			t.Fatalf("the clear part is %+v, and was %+v", is, was)
		}
		if v[1] == packedVersion {
			some++
			if footprint(len(v)) >= footprint(len(plain)) {
				t.Fatalf("%d bytes are packed to %d, which take no less", len(plain), len(v))
			}
		} else if !bytes.Equal(v, plain) {
			t.Fatal("a block that is not packed was changed")
		}
		got, err := decodeBlock(v)
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Data) == 0 {
			got.Data = []byte{}
		}
		if !reflect.DeepEqual(got, b) {
			t.Fatalf("wrote %+v\nread %+v", b, got)
		}
	})
	if some == 0 {
		t.Error("nothing was packed")
	}
}

// What is not alike is not packed, nor what is too long, nor anything when packing has had its time.
func TestWhatIsNotPacked(t *testing.T) {
	one := func(text string) []byte {
		f := &feed{name: "r"}
		return packedBlock(header{}, f.put(nil, text))
	}
	for name, c := range map[string]struct {
		text   string
		packed bool
	}{
		"short": {"x", false}, "noise": {noise(100_000), false}, "long": {string(make([]byte, packMost)), false},
		"alike": {string(make([]byte, packMost-100)), true}, "of two pages": {string(make([]byte, 5000)), true}, "half noise": {noise(5000) + string(make([]byte, 5000)), true},
	} {
		if v := one(c.text); (v[1] == packedVersion) != c.packed {
			t.Errorf("%s: packed: %v", name, !c.packed)
		} else if e := decodeEntry(0, v); e.Err != nil || len(e.Block.Data) != len(c.text) {
			t.Errorf("%s: %v", name, e.Err)
		}
	}
	s := open(t, t.TempDir(), nil)
	defer closeStore(t, s)
	before := s.packing.Tokens()
	alike := appendUnsealed(nil, header{}, boot{}, thousand())
	if v := s.packed(bytes.Clone(alike)); v[1] != packedVersion || s.packing.Tokens() >= before {
		t.Errorf("an entry of version %d; of %v ns there are %v left", v[1], before, s.packing.Tokens())
	}
	s.packing = rate.NewLimiter(1, int(packSaved))
	s.packing.ReserveN(time.Now(), int(packSaved))
	s.packing.ReserveN(time.Now(), 1000)
	if v := s.packed(bytes.Clone(alike)); v[1] != entryVersion {
		t.Errorf("an entry of version %d is packed without time for it", v[1])
	}
}

// A length that a damaged or hostile entry says costs nothing, whatever its CRC says.
func TestALengthIsNotBelieved(t *testing.T) {
	packed := func(version byte, n uint64, rest ...byte) []byte {
		b := (&header{kind: 'B', seq: 1}).append(nil)
		b[1] = packedVersion
		b = append(append(b, make([]byte, clearLen-headerLen)...), version)
		return seal(append(binary.AppendUvarint(b, n), rest...))
	}
	entries := [][]byte{
		packed(1, packMost, make([]byte, 100)...), packed(1, packMost+1, make([]byte, 1<<18)...), packed(1, 1<<31, 1), packed(1, 1<<40, 1), packed(1, 1<<63, 1), packed(1, 0),
		packed(1, 20, make([]byte, 10)...), packed(3, 4, 12, 1, 2, 3, 4), packed(1, 4, 12, 1, 2, 3, 4), seal(packed(1, 1)[:clearLen]), seal(packed(1, 1)[:clearLen-5]),
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 100 {
		for i, v := range entries {
			if e := decodeEntry(1, v); e.Err == nil {
				t.Fatalf("entry %d reads as %+v", i, e.Block)
			}
		}
	}
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 4<<20 {
		t.Errorf("%d bytes were taken for them", took)
	}
}

// A block stays as it is while others are unpacked, and unpacking it allocates no more than reading one that is not packed.
func TestAnUnpackedBlockIsItsOwn(t *testing.T) {
	b := thousand()
	plain, v := appendBlock(nil, header{seq: 1}, boot{}, b), packedBlock(header{seq: 1}, b)
	if v[1] != packedVersion || len(v) > len(plain)/2 {
		t.Fatalf("%d bytes are packed to %d", len(plain), len(v))
	}
	first, err := decodeBlock(v)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range 20 {
				f := &feed{name: "other"}
				if _, err := decodeBlock(packedBlock(header{seq: 2}, f.put(nil, string(bytes.Repeat([]byte{byte(i)}, 70_000))))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if want, _ := decodeBlock(plain); !reflect.DeepEqual(first, want) {
		t.Error("a block changes when others are unpacked")
	}
	read := func(v []byte) float64 { return testing.AllocsPerRun(50, func() { decodeBlock(v) }) }
	if a, b := read(plain), read(v); b > a+1 {
		t.Errorf("%v allocations, and %v of a packed block", a, b)
	}
}

// What is packed can be unpacked by any reader of Snappy's block format: nothing in it is what only S2 knows.
func TestPackedIsSnappy(t *testing.T) {
	b := thousand()
	v := packedBlock(header{seq: 1}, b)
	rest := v[clearLen+1 : len(v)-4]
	n, k := binary.Uvarint(rest)
	var out []byte
	for p := rest[k:]; len(p) > 0; { // google/snappy, format_description.txt
		tag, size, from := p[0], 0, 0
		switch p = p[1:]; tag & 3 {
		case 0:
			if size = int(tag >> 2); size >= 60 {
				width := size - 59
				size, p = int(binary.LittleEndian.Uint32(append(bytes.Clone(p[:width]), 0, 0, 0, 0))), p[width:]
			}
			size++
			out, p = append(out, p[:size]...), p[size:]
			continue
		case 1:
			size, from, p = int(tag>>2&7)+4, int(tag>>5)<<8|int(p[0]), p[1:]
		case 2:
			size, from, p = int(tag>>2)+1, int(binary.LittleEndian.Uint16(p)), p[2:]
		case 3:
			size, from, p = int(tag>>2)+1, int(binary.LittleEndian.Uint32(p)), p[4:]
		}
		if from == 0 || from > len(out) {
			t.Fatalf("a copy from %d bytes ago, of %d", from, len(out))
		}
		for range size {
			out = append(out, out[len(out)-from])
		}
	}
	if plain := appendBlock(nil, header{seq: 1}, boot{}, b); uint64(len(out)) != n || !bytes.Equal(out, plain[clearLen:len(plain)-4]) {
		t.Error("that is not what was packed")
	}
}

// A store of format 2 is brought to the newest format when there is room for that; without, it works on, packs nothing and seals nothing.
func TestFormat2IsUpgradedWhenThereIsRoom(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, nil)
	s.meta.format = 2
	if err := s.db.Update(s.meta.put); err != nil {
		t.Fatal(err)
	}
	s.db.seal, s.db.NoSync = false, false
	disk := watch(s)
	disk.failAt, disk.err = disk.writes+1, syscall.ENOSPC
	if err := s.upgrade(); err != nil || s.meta.format != 2 || !disk.hit {
		t.Fatalf("without room: %v, format %d", err, s.meta.format)
	}
	f := &feed{name: "r"}
	s.AddSource("r", MemoryAndDisk, f)
	put := func() byte {
		b := f.put(nil, string(make([]byte, 20_000)))
		step(t, s)
		version := byte(0)
		s.view(func(tx *bbolt.Tx) error { version = logEntry(tx, b.Seq)[1]; return nil })
		return version
	}
	if v := put(); v != entryVersion {
		t.Errorf("an entry of version %d is in a store of format 2", v)
	}
	if good, seals := inForce(t, s); seals[good.Tx] {
		t.Error("a transaction of a store of format 2 is sealed")
	}
	closeStore(t, s)
	s = open(t, dir, nil)
	defer closeStore(t, s)
	s.AddSource("r", MemoryAndDisk, f)
	if v := put(); v != packedVersion || s.meta.format != formatVersion {
		t.Errorf("an entry of version %d is in a store of format %d", v, s.meta.format)
	}
	if got := payloads(all(t, s, 0)); len(got) != 2 || got[0] != got[1] {
		t.Errorf("%d blocks are read", len(got))
	}
}

// FuzzUnpack looks for what is packed wrongly, or is unpacked to more than its bytes can be.
func FuzzUnpack(f *testing.F) {
	v := packedBlock(header{seq: 1}, readings(10, 4))
	f.Add(v[clearLen : len(v)-4])
	f.Add([]byte{1, 0x80, 0x80, 0x40, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		if version, rest, buf, err := unpack(b); err == nil {
			if len(rest) > packMost || len(rest) > packFactor*len(b) || version == packedVersion {
				t.Errorf("%d bytes are unpacked to %d of version %d", len(b), len(rest), version)
			}
			spares.Put(buf)
		}
		plain := append(make([]byte, clearLen, clearLen+len(b)+4), b...)
		plain[1] = entryVersion
		small := pack(bytes.Clone(plain))
		if small[1] == entryVersion {
			if !bytes.Equal(small, plain) {
				t.Error("what is not packed was changed")
			}
			return
		}
		_, rest, buf, err := unpack(small[clearLen:])
		if err != nil || !bytes.Equal(rest, b) {
			t.Fatalf("packed and unpacked, it is not the same: %v", err)
		}
		spares.Put(buf)
	})
}
