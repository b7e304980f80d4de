package blockstore

import (
	"testing"

	"edged"
)

// Updates of intake and others are told apart for the room that they get, not for their order: the last put of a key counts.
func TestPutsAreInTheOrderInWhichTheyWereSubmitted(t *testing.T) {
	for _, order := range [][]bool{{true, false}, {false, true}, {false, true, false}, {true, false, false, true}} {
		s := open(t, t.TempDir(), nil)
		defer closeStore(t, s)
		last := ""
		for i, intake := range order {
			last = string(rune('a' + i))
			s.Submit(&edged.Update{Intake: intake, Puts: []edged.Put{{Space: "x", Key: "k", Value: []byte(last)}}}, false, func(error) {})
		}
		step(t, s)
		have := ""
		if err := s.Values("x", func(_ string, value []byte, err error) error { have = string(value); return err }); err != nil {
			t.Fatal(err)
		}
		if have != last {
			t.Errorf("intake %v: %q is there, %q was put last", order, have, last)
		}
	}
}
