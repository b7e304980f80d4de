package blockstore

import (
	"slices"
	"testing"

	"edged"
)

// The count of a side log needs nothing of any log, also when it was lost, and goes with its stream.
func TestTheCountOfASideLog(t *testing.T) {
	if c := lost("side/pins.late", func(string) bool { return true }); !c.Lost || len(c.Need) > 0 {
		t.Errorf("a lost one is %+v", c)
	}
	if c := lost("delivery/pins.late/x", func(log string) bool { return log == "pins.late" }); c.Log != "pins.late" || len(c.Need) == 0 {
		t.Errorf("the delivery of one is %+v", c)
	}
	var all []edged.Cursor
	for _, name := range []string{"stream/pins", "delivery/pins/x", "delivery/pins.late/y", "side/pins.late", "delivery/pins.replay/x", "side/pins.replay", "sink/y", "stream/pinsel", "side/pinsel.late"} {
		all = append(all, edged.Cursor{Name: name})
	}
	for name, want := range map[string][]string{
		"pins":           {"delivery/pins.late/y", "delivery/pins.replay/x", "delivery/pins/x", "side/pins.late", "side/pins.replay", "stream/pins"},
		"pins.late":      {"delivery/pins.late/y", "side/pins.late"},
		"y":              {"delivery/pins.late/y", "sink/y"},
		"side/pins.late": {"side/pins.late"},
	} {
		u, err := Forgetting(name, all, nil, nil, nil)
		if err != nil || !slices.Equal(u.Forget, want) {
			t.Errorf("forgetting %s: %v %v", name, err, u)
		}
	}
}
