package blockstore

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"edged"

	"go.etcd.io/bbolt"
)

// A message that goes to several sources counts as received when the last copy is on disk, in whichever commits they are, and until then it is
// known which of them have it; one that is published anew under the same identifier begins again.
func TestReceivedNamesThoseWhoHaveIt(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, nil)
	a, b := &feed{name: "a"}, &feed{name: "b"}
	s.AddSource("a", MemoryAndDisk, a)
	s.AddSource("b", MemoryAndDisk, b)
	origin := edged.Origin{Client: "odd \xe2\x80\xae name", PacketID: 1<<8 + 2, Copies: 2, Number: 1}
	publish := func(f *feed, o edged.Origin) {
		blk := f.put(nil, "m")
		blk.Flags[0], blk.Origins = 2, []edged.BlockOrigin{{Origin: o}}
	}
	forget := func() {
		s.Submit(&edged.Update{Puts: []edged.Put{{Space: edged.SpaceReceived, Key: origin.Key()}}}, false, func(error) {})
	}
	missing := func(want int, stored ...string) {
		t.Helper()
		step(t, s)
		have := -1
		if err := s.Values(edged.SpaceReceived, func(key string, value []byte, err error) error {
			r, ok := edged.ReceivedFrom(key, value)
			if err != nil || !ok || r.Client != origin.Client || r.PacketID != origin.PacketID || !slices.Equal(r.Stored, stored) {
				t.Errorf("%q %x: %+v, %v", key, value, r, err)
			}
			have = r.Missing
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if have != want {
			t.Errorf("%d copies are missing, want %d", have, want)
		}
	}
	publish(a, origin)
	missing(1, "a")
	publish(b, origin)
	missing(0)
	origin.Number++
	publish(a, origin) // anew, both at once
	publish(b, origin)
	missing(0)
	origin.Number++
	publish(a, origin)
	missing(1, "a")
	publish(a, origin) // once more: that makes it no more of them
	missing(1, "a")
	publish(b, origin)
	forget()
	missing(1, "b") // it was forgotten before its second copy came, and that one counts as a first
	forget()
	missing(-1)
	one := origin
	one.Number++
	one.Copies = 0 // of a session that ends with its connection
	publish(a, one)
	missing(-1)
	one.Copies = 1
	publish(a, one)
	missing(0)
	origin.Number += 2
	publish(b, origin)
	missing(1, "b")
	closeStore(t, s)
	s = open(t, dir, nil)
	defer closeStore(t, s)
	missing(1, "b")
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
