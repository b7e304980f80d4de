package gpio

import (
	"log/slog"
	"sync"
	"time"

	"github.com/VictoriaMetrics/metrics"
)

// calm is how long nothing must have been dropped for an outage to be over: a broker that takes every other reading is
// one outage, not a thousand.
const calm = 10 * time.Second

// tally counts what became of a pin's readings. It logs the first drop of an outage, and its end with the number.
type tally struct {
	log            *slog.Logger
	readings, lost *metrics.Counter

	mu         sync.Mutex
	ok, drops  uint64
	since      time.Time // the outage's first drop; zero when there is none
	latest     time.Time // its last
	inOutage   uint64
	lastReason string
}

func (t *tally) delivered() {
	t.readings.Inc()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ok++
	if !t.since.IsZero() && time.Since(t.latest) >= calm {
		t.over("readings get through again")
	}
}

func (t *tally) dropped(n uint64, why error) {
	t.lost.AddInt64(int64(n))
	t.mu.Lock()
	defer t.mu.Unlock()
	t.drops += n
	t.inOutage += n
	t.latest = time.Now()
	t.lastReason = why.Error()
	if t.since.IsZero() {
		t.since = t.latest
		t.log.Warn("readings are dropped: each is a gap in seq; the pin is read on", "reason", t.lastReason)
	}
}

// end closes the books when the pin stops.
func (t *tally) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.since.IsZero() {
		t.over("stopped while readings were dropped")
	}
}

func (t *tally) over(what string) {
	t.log.Info(what, "dropped", t.inOutage, "since", t.since.Round(time.Second), "last_reason", t.lastReason)
	t.since, t.inOutage, t.lastReason = time.Time{}, 0, ""
}
