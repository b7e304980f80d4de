package blockstore

import (
	"testing"

	"edged"
)

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
