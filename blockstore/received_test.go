package blockstore

import (
	"errors"
	"strings"
	"testing"

	"edged"

	"go.etcd.io/bbolt"
)

// A message that goes to several sources counts as received when the last copy is on disk, in whichever commits they are; one that is
// published anew under the same identifier begins again.
func TestReceivedCountsCopies(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, nil)
	a, b := &feed{name: "a"}, &feed{name: "b"}
	s.AddSource("a", MemoryAndDisk, a)
	s.AddSource("b", MemoryAndDisk, b)
	origin := edged.Origin{Client: "odd \xe2\x80\xae name", PacketID: 1<<8 + 2, Copies: 2}
	publish := func(f *feed, o edged.Origin) {
		blk := f.put(nil, "m")
		blk.Flags[0], blk.Origins = 2, []edged.BlockOrigin{{Origin: o}}
	}
	missing := func(want int) {
		t.Helper()
		step(t, s)
		have := -1
		if err := s.Values(edged.SpaceReceived, func(key string, value []byte, err error) error {
			o, ok := edged.ReceivedFrom(key, value)
			if err != nil || !ok || o.Client != origin.Client || o.PacketID != origin.PacketID {
				t.Errorf("%q %x: %+v, %v", key, value, o, err)
			}
			have = int(o.Copies)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if have != want {
			t.Errorf("%d copies are missing, want %d", have, want)
		}
	}
	publish(a, origin)
	missing(1)
	publish(b, origin)
	missing(0)
	publish(a, origin) // anew, both at once
	publish(b, origin)
	missing(0)
	publish(a, origin)
	missing(1)
	publish(b, origin)
	s.Submit(&edged.Update{Puts: []edged.Put{{Space: edged.SpaceReceived, Key: origin.Key()}}}, false, func(error) {})
	missing(1) // it was forgotten before its second copy came, and that one counts as a first
	s.Submit(&edged.Update{Puts: []edged.Put{{Space: edged.SpaceReceived, Key: origin.Key()}}}, false, func(error) {})
	missing(-1)
	one := origin
	one.Copies = 0 // of a session that ends with its connection
	publish(a, one)
	missing(-1)
	one.Copies = 1
	publish(a, one)
	missing(0)
	closeStore(t, s)
	s = open(t, dir, nil)
	defer closeStore(t, s)
	missing(0)
}

// A key that the file cannot have is refused, and only that: it must not end the store.
func TestAKeyThatIsTooLongIsRefused(t *testing.T) {
	s := open(t, t.TempDir(), nil)
	defer closeStore(t, s)
	for _, intake := range []bool{true, false} {
		for _, n := range []int{bbolt.MaxKeySize, bbolt.MaxKeySize + 1} {
			answer := make(chan error, 1)
			u := &edged.Update{Intake: intake, Puts: []edged.Put{{Space: "kept", Key: strings.Repeat("k", n), Value: []byte("v")}}}
			s.Submit(u, false, func(err error) { answer <- err })
			step(t, s)
			if err := <-answer; errors.Is(err, edged.ErrFull) != (n > bbolt.MaxKeySize) {
				t.Errorf("%d bytes: %v", n, err)
			}
		}
	}
	if err := s.Err(); err != nil {
		t.Fatal(err)
	}
}

// What is written of a received publish with its block can be read as every other value of the spaces: the repeat of it is known by that.
func TestReceivedPublishesCanBeRead(t *testing.T) {
	s := open(t, t.TempDir(), nil)
	defer closeStore(t, s)
	f := &feed{name: "r"}
	s.AddSource("r", Disk, f)
	o := edged.Origin{Client: "c", PacketID: 7, Copies: 2}
	for copies := 1; copies >= 0; copies-- {
		f.put(nil, "x").Origins = []edged.BlockOrigin{{Origin: o}}
		step(t, s)
		n := 0
		if err := s.Values(edged.SpaceReceived, func(key string, value []byte, err error) error {
			n++
			if got, ok := edged.ReceivedFrom(key, value); err != nil || !ok || got.Client != "c" || got.PacketID != 7 || int(got.Copies) != copies {
				t.Errorf("%q is %v: %+v, %v", key, value, got, err)
			}
			return nil
		}); err != nil || n != 1 {
			t.Fatalf("%d values, %v", n, err)
		}
	}
}
