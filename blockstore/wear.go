package blockstore

import (
	"sync"
	"time"

	"edged/internal/conf"

	"github.com/VictoriaMetrics/metrics"
)

// Wear is what the store costs its card.
type Wear struct {
	Written   uint64  `json:"written"`      // bytes written to the file since the start
	Commits   uint64  `json:"commits"`      // since the start
	Early     uint64  `json:"early"`        // of them, before the cadence
	Stored    uint64  `json:"stored_bytes"` // topics and payloads of the messages that were written
	PerStored float64 `json:"per_stored"`   // bytes written for each of Stored, since the start; 0 if nothing was stored
	Lately    Pace    `json:"lately"`
}

// Pace is what the store has written in the last hour, or since the start if that is less.
type Pace struct {
	Seconds          float64 `json:"seconds"`            // that it covers; the other figures mean little if it is short
	PerStored        float64 `json:"per_stored"`         // bytes written for each byte of messages; 0 if nothing was stored
	CommitsPerSecond float64 `json:"commits_per_second"` //
	BytesPerDay      float64 `json:"bytes_per_day"`      // what it comes to, if it goes on like this
}

// Budget is how the write budget stands.
type Budget struct {
	Rate    string        `json:"rate"`  // write_budget
	Left    int64         `json:"left"`  // bytes that early commits may still cost; 0 when it is spent; -1 without a bound
	Spent   bool          `json:"spent"` // acknowledgements wait for the cadence
	Cadence conf.Duration `json:"cadence"`
}

// Wear returns what the store has cost so far.
func (s *Store) Wear() Wear {
	now := s.meter.sample(time.Now())
	w := Wear{Written: now.written, Commits: now.commits, Early: s.meter.early.Get(), Stored: now.stored, PerStored: ratio(now.written, now.stored)}
	from := s.meter.since(now)
	w.Lately = Pace{Seconds: now.at.Sub(from.at).Seconds(), PerStored: ratio(now.written-from.written, now.stored-from.stored)}
	if w.Lately.Seconds > 0 {
		w.Lately.CommitsPerSecond = float64(now.commits-from.commits) / w.Lately.Seconds
		w.Lately.BytesPerDay = float64(now.written-from.written) / w.Lately.Seconds * 86400
	}
	return w
}

func ratio(a, b uint64) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}

// Budget returns how the write budget stands.
func (s *Store) Budget() Budget {
	b := Budget{Rate: s.cfg.WriteBudget.String(), Left: -1, Cadence: s.cfg.CommitInterval}
	if s.pace.eager {
		b.Rate = conf.Unlimited.String() // whatever write_budget says
	} else if s.pace.budget != nil {
		b.Left = int64(max(0, s.pace.budget.Tokens()))
		b.Spent = !s.pace.affordable()
	}
	return b
}

// sample is what the meter said at a moment.
type sample struct {
	at                       time.Time
	written, commits, stored uint64
}

const (
	sampleEvery = time.Minute
	sampleSpan  = time.Hour
)

// history holds a sample a minute of the last hour.
type history struct {
	mu      sync.Mutex
	samples []sample // oldest first; the first is at least an hour old, as soon as there is one
}

// note takes a sample if it is time. The committer calls it at every round.
func (h *history) note(now time.Time, take func(time.Time) sample) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if n := len(h.samples); n > 0 && now.Sub(h.samples[n-1].at) < sampleEvery {
		return
	}
	h.samples = append(h.samples, take(now))
	for len(h.samples) > 1 && now.Sub(h.samples[1].at) >= sampleSpan {
		h.samples = h.samples[1:]
	}
}

// since is the sample from which the last hour is counted; now itself if there is none.
func (h *history) since(now sample) sample {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.samples) == 0 {
		return now
	}
	return h.samples[0]
}

// meter is the store's set of metrics.
type meter struct {
	commits, early, bytes, stored, messages, freed, full *metrics.Counter
	seconds                                              *metrics.FloatCounter
	history
}

func newMeter(set *metrics.Set) *meter {
	m := &meter{
		commits:  set.NewCounter("edged_store_commits_total"),
		early:    set.NewCounter("edged_store_early_commits_total"),
		bytes:    set.NewCounter("edged_store_written_bytes_total"),
		stored:   set.NewCounter("edged_store_stored_bytes_total"),
		messages: set.NewCounter("edged_store_messages_total"),
		freed:    set.NewCounter("edged_store_freed_entries_total"),
		full:     set.NewCounter("edged_store_full_total"),
		seconds:  set.NewFloatCounter("edged_store_commit_seconds_total"),
	}
	m.note(time.Now(), m.sample)
	return m
}

func (m *meter) sample(at time.Time) sample {
	return sample{at, m.bytes.Get(), m.commits.Get(), m.stored.Get()}
}
