package blockstore

import (
	"testing"

	"edged"
)

// The watermark of results can be that of payloads, ahead of every clock: the gateway's does not go on from there, or each start would begin an epoch.
func TestTheClockGoesOnFromWhatCameIn(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, nil)
	f := &feed{name: "a"}
	s.AddSource("a", MemoryAndDisk, f)
	f.put(nil, "one")
	s.Submit(&edged.Update{
		Results: []edged.Result{{Stream: "pins", Cause: 1, Watermark: edged.Instant{Wall: 1 << 60}, Rows: 1, Data: []byte("x")}},
		Cursors: []edged.Cursor{{Name: "delivery/pins/x", Log: "pins", Need: edged.SpansFrom(1)}},
	}, false, nil)
	step(t, s)
	closeStore(t, s)
	s = open(t, dir, nil)
	defer closeStore(t, s)
	if _, ok, err := s.NextResult("pins", 1); !ok || err != nil {
		t.Fatalf("the result is not there: %v", err)
	}
	if at := s.LastInstant(); at != (edged.Instant{Wall: f.wall}) {
		t.Errorf("the clock would go on from %v, want %v", at, f.wall)
	}
}
