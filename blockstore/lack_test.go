package blockstore

import (
	"testing"

	"edged"
)

// A full store says how much has to be given up; once that was, nothing lacks any more, and it has room again. What was kept for replay goes before.
func TestWhatAFullStoreLacks(t *testing.T) {
	s := open(t, t.TempDir(), func(c *Config) { c.MaxBytes = 32 << 20 })
	defer closeStore(t, s)
	f := &feed{name: "r"}
	s.AddSource("r", MemoryAndDisk, f)
	hold := func(from uint64) {
		s.Submit(&edged.Update{Cursors: []edged.Cursor{{Name: "c", Need: edged.SpansFrom(from)}}}, false, func(error) {})
		step(t, s)
	}
	fill := func() (entries int) {
		for ; !s.Space().Full; entries++ {
			if entries > 1000 {
				t.Fatal("the store never filled")
			}
			f.put(nil, noise(100<<10))
			step(t, s)
		}
		return entries
	}
	hold(0)
	if f.put(nil, "x"); s.Lack() != 0 {
		t.Errorf("an empty store lacks %d bytes", s.Lack())
	}
	fill()
	lack := s.Lack()
	if lack < 1<<20 || lack > 8<<20 {
		t.Fatalf("%d bytes lack", lack)
	}
	from := uint64(0)
	for s.Pending("", edged.SpansFrom(0))-s.Pending("", edged.SpansFrom(from)) < lack {
		from++
	}
	if hold(from); s.Lack() != 0 {
		t.Errorf("%d bytes lacked; they were given up, and %d lack: %+v", lack, s.Lack(), s.Space())
	}
	step(t, s) // the next round sees it
	if again := fill(); again < 10 {
		t.Errorf("after that %d entries came in", again)
	}
}
