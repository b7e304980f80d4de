package gpio

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

const sampled = "[gpio]\ndriver = \"sim\"\n[gpio.pin.level]\ninterval = \"1s\"\n"

func TestSampleReadsAtOnceAndThenAtTheInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, begin := newFakeLine(), time.Now()
		h := start(t, sampled+"invert = true", f.open)
		time.Sleep(2500 * time.Millisecond)
		h.stop()
		want := []string{"0ms 1", "1000ms 1", "2000ms 1"}
		if got := told(begin, h.broker.messages()); !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
		if m := h.broker.messages()[2]; m.Seq != 3 || m.Line != "level" {
			t.Errorf("%+v", m)
		}
	})
}

// slow is a line whose second reading takes its time, as when the process was stopped.
type slow struct {
	*fakeLine
	takes time.Duration
}

func (s slow) Read(due time.Time) (float64, error) {
	v, err := s.fakeLine.Read(due)
	if s.reads == 2 {
		time.Sleep(s.takes)
	}
	return v, err
}

func TestMissedSamplesAreCountedAndNotMadeUpFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, begin := newFakeLine(), time.Now()
		h := start(t, sampled, func(*PinConfig) (line, error) { return slow{f, 3300 * time.Millisecond}, nil })
		time.Sleep(6500 * time.Millisecond)
		h.stop()
		got := h.broker.messages()
		// The second reading ends at 4.3 s: those of 2 s and 3 s are missed, that of 4 s is late, the next is punctual.
		if want := []string{"0ms 0", "4300ms 0", "4300ms 0", "5000ms 0", "6000ms 0"}; !slices.Equal(told(begin, got), want) {
			t.Errorf("%q, want %q", told(begin, got), want)
		}
		var seqs []uint64
		for _, m := range got {
			seqs = append(seqs, m.Seq)
		}
		if !slices.Equal(seqs, []uint64{1, 2, 5, 6, 7}) {
			t.Errorf("seq %v has no gap of the two that were missed", seqs)
		}
		s := h.Status()[0]
		balanced(t, s, 0)
		if s.Dropped != 2 || h.metric(t, `edged_gpio_dropped_total{pin="level"}`) != "2" || h.metric(t, `edged_gpio_readings_total{pin="level"}`) != "5" {
			t.Errorf("%+v", s)
		}
	})
}
