package blockstore

import (
	"testing"

	"edged"
)

// The newest result of a log is found whatever stands beside it in the file, and wherever the log ends.
func TestTheLastResult(t *testing.T) {
	s := open(t, t.TempDir(), nil)
	defer closeStore(t, s)
	last := func(stream string) uint64 {
		t.Helper()
		res, ok, err := s.LastResult(stream)
		if err != nil || ok != (res.Seq > 0) {
			t.Errorf("%s: %+v, %v, %v", stream, res, ok, err)
		}
		return res.Seq
	}
	if n := last("b"); n != 0 {
		t.Errorf("result %d of an empty store", n)
	}
	for n := range uint64(3) {
		u := &edged.Update{}
		for _, stream := range []string{"a", "b", "bb"} {
			u.Results = append(u.Results, edged.Result{Stream: stream, Cause: n, Rows: 1, Data: []byte("\x01\x01b\x00row")})
		}
		s.Submit(u, false, func(error) {})
		step(t, s)
	}
	s.meta.era = 7
	s.mu.Lock()
	s.pub.results["b"] = logEnd{next: 7<<edged.EraShift | 9}
	s.mu.Unlock()
	for stream, want := range map[string]uint64{"a": 3, "b": 3, "bb": 3, "": 0, "aa": 0, "c": 0} {
		if n := last(stream); n != want {
			t.Errorf("the last of %q is %d, not %d", stream, n, want)
		}
	}
}
