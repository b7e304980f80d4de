package blockstore

import (
	"testing"
	"time"
)

// The last hour slides: samples older than it go, but for the one that it begins with.
func TestTheLastHourSlides(t *testing.T) {
	var h history
	start := time.Now()
	at := func(d time.Duration) sample {
		return sample{at: start.Add(d), written: uint64(d / time.Second)} // a byte a second
	}
	if now := at(0); h.since(now) != now {
		t.Error("without a sample there is no past")
	}
	for d := time.Duration(0); d < 5*time.Hour; d += 700 * time.Millisecond {
		h.note(start.Add(d), func(time.Time) sample { return at(d) })
		now := at(d)
		from := h.since(now)
		span := now.at.Sub(from.at)
		if span > sampleSpan+2*sampleEvery+time.Second || d > sampleSpan+2*sampleEvery && span < sampleSpan-sampleEvery {
			t.Fatalf("after %v the last hour is %v", d, span)
		}
	}
	if len(h.samples) > 62 {
		t.Errorf("%d samples for an hour", len(h.samples))
	}
}
