package window

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestParse(t *testing.T) {
	s, err := Parse("sliding 1m every 25s")
	if err != nil || s.Size != int64(time.Minute) || s.Every != int64(25*time.Second) || s.pane != int64(5*time.Second) {
		t.Fatalf("%+v, %v", s, err)
	}
	for _, bad := range []string{"tumbling", "tumbling x", "tumbling 0s", "sliding 10s", "sliding 10s every 1m", "tumblin 10s", "sliding 1d every 1ms", "tumbling 10s every 5s",
		"session", "session 5m 5m", "session 0s", "session 1000d", "count", "count 0", "count -1", "count 1.5", "count 10s", "batch 3s", "running 1h", "sessions 5m"} {
		if s, err := Parse(bad); err == nil {
			t.Errorf("%q is %+v", bad, s)
		}
	}
	for text, want := range map[string]Spec{
		"tumbling 10s": {Kind: Tumbling, Size: 10e9, Every: 10e9, pane: 10e9}, "session 5m": {Kind: Session, Gap: 300e9}, "count 100": {Kind: Count, Rows: 100},
		"batch": {Kind: Batch}, " running ": {Kind: Running},
	} {
		if s, err := Parse(text); err != nil || s != want {
			t.Errorf("%q is %+v, %v", text, s, err)
		}
	}
	if s, err := Parse(""); err != nil || !s.IsZero() {
		t.Error(s, err)
	}
}

func TestMomentsFarApartAreInNoPane(t *testing.T) {
	s := Spec{Kind: Tumbling, Size: 10, Every: 10, pane: 10}
	for _, at := range []int64{math.MinInt64, -9e18, 9e18, math.MaxInt64} {
		for _, start := range []int64{-9e18, 9e18} {
			if in := s.InPane(start, at); in != (at == start) {
				t.Errorf("%d is in the pane %d: %t", at, start, in)
			}
		}
	}
}

// A window contains exactly the moments from its start to before its end, by way of its panes.
func TestPanesCoverTheirWindows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.Int64Range(1, 60).Draw(t, "size")
		every := rapid.Int64Range(1, size).Draw(t, "every")
		s := Spec{Kind: Sliding, Size: size, Every: every, pane: gcd(size, every)}
		at := rapid.Int64Range(-500, 500).Draw(t, "at")
		pane := s.Pane(at)
		if at < pane || at >= pane+s.pane {
			t.Fatalf("%d is not in its pane %d", at, pane)
		}
		if near := rapid.Int64Range(-600, 600).Draw(t, "near"); s.InPane(pane, near) != (s.Pane(near) == pane) {
			t.Fatalf("%d: in the pane %d: %t, and its own is %d", near, pane, s.InPane(pane, near), s.Pane(near))
		}
		for start := int64(-1200) / every * every; start < 1200; start += every {
			in := start <= at && at < start+size
			through := s.First(pane) <= start && start <= s.Last(pane)
			if in != through {
				t.Fatalf("window [%d, %d): holds %d %t, holds its pane %t (first %d, last %d)", start, start+size, at, in, through, s.First(pane), s.Last(pane))
			}
		}
	})
}
