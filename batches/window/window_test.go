package window

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestParse(t *testing.T) {
	s, err := Parse("sliding 1m every 25s")
	if err != nil || s.Size != int64(time.Minute) || s.Every != int64(25*time.Second) || s.pane != int64(5*time.Second) {
		t.Fatalf("%+v, %v", s, err)
	}
	for _, bad := range []string{"tumbling", "tumbling x", "tumbling 0s", "sliding 10s", "sliding 10s every 1m", "tumblin 10s", "sliding 1d every 1ms", "tumbling 10s every 5s"} {
		if s, err := Parse(bad); err == nil {
			t.Errorf("%q is %+v", bad, s)
		}
	}
	if s, err := Parse(""); err != nil || !s.IsZero() {
		t.Error(s, err)
	}
}

// A window contains exactly the moments from its start to before its end, by way of its panes.
func TestPanesCoverTheirWindows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.Int64Range(1, 60).Draw(t, "size")
		every := rapid.Int64Range(1, size).Draw(t, "every")
		s := Spec{size, every, gcd(size, every)}
		at := rapid.Int64Range(-500, 500).Draw(t, "at")
		pane := s.Pane(at)
		if at < pane || at >= pane+s.pane {
			t.Fatalf("%d is not in its pane %d", at, pane)
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
