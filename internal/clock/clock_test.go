package clock

import (
	"testing"
	"time"

	"edged"

	"pgregory.net/rapid"
)

const s = int64(time.Second)

func TestStepsBeginEpochsAndSmallOnesAreHeldFlat(t *testing.T) {
	c := New(edged.Instant{})
	for _, step := range []struct {
		name  string
		wall  int64
		mono  time.Duration
		epoch uint32
		want  int64
	}{
		{"first", 100 * s, 0, 0, 100 * s},
		{"runs", 101 * s, time.Second, 0, 101 * s},
		{"1 s back: flat", 101 * s, 2 * time.Second, 0, 101 * s},
		{"still behind: flat", 101*s - s/2, 2 * time.Second, 0, 101 * s},
		{"caught up", 103 * s, 4 * time.Second, 0, 103 * s},
		{"an hour ahead", 3703 * s, 4 * time.Second, 1, 3703 * s},
		{"an hour back", 104 * s, 5 * time.Second, 2, 104 * s},
		{"suspended for 10 s", 115 * s, 6 * time.Second, 3, 115 * s},
	} {
		if got := c.at(step.wall, step.mono); got != (edged.Instant{Epoch: step.epoch, Wall: step.want}) {
			t.Fatalf("%s: %+v", step.name, got)
		}
	}
}

func TestBehindTheStoreAtStartIsAnEpoch(t *testing.T) {
	seen := edged.Instant{Epoch: 4, Wall: 1000 * s}
	if got := New(seen).at(5*s, 0); got != (edged.Instant{Epoch: 5, Wall: 5 * s}) {
		t.Fatalf("started in 1970: %+v", got)
	}
	if got := New(seen).at(90000*s, 0); got != (edged.Instant{Epoch: 4, Wall: 90000 * s}) {
		t.Fatalf("started a day later: %+v", got)
	}
}

func TestStampsNeverRunBackwards(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := New(edged.Instant{})
		wall, mono := int64(1e18), time.Duration(0)
		var last edged.Instant
		for range rapid.IntRange(1, 50).Draw(t, "n") {
			d := time.Duration(rapid.Int64Range(0, 2*s).Draw(t, "mono"))
			mono += d
			wall += int64(d) + rapid.Int64Range(-4*s, 4*s).Draw(t, "step")
			at := c.at(wall, mono)
			if at.Before(last) {
				t.Fatalf("%+v after %+v", at, last)
			}
			last = at
		}
	})
}
