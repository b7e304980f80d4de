package delivery

import (
	"encoding/json"
	"fmt"
	"time"

	"edged"

	"github.com/VictoriaMetrics/metrics"
)

// Health is how a sink is.
type Health struct {
	State   string    `json:"state"`             // starting, ok, waiting (tried again soon), holding (it cannot work as configured)
	Problem string    `json:"problem,omitempty"` // the whole of it
	Cause   string    `json:"cause,omitempty"`   // in a few words
	Remedy  string    `json:"remedy,omitempty"`  // what to do
	Since   time.Time `json:"since,omitzero"`    // of the state
	Next    time.Time `json:"next_try,omitzero"` // while it waits or holds
}

// well notes that something was delivered; the end of an outage is logged once.
func (w *Writer) well() {
	w.backoff.Reset()
	w.mu.Lock()
	before, loud := w.health, w.loud
	if before.State != "ok" {
		w.health = Health{State: "ok", Since: time.Now()}
	}
	w.loud = false
	w.mu.Unlock()
	if before.Problem != "" && loud {
		w.o.Log.Info("the sink takes rows again", "sink", w.o.Name, "after", time.Since(before.Since).Round(time.Second))
	}
}

// opened notes that the sink is open for the first time; after an outage only a delivery shows that it is over.
func (w *Writer) opened() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.health.State == "starting" {
		w.health = Health{State: "ok", Since: time.Now()}
	}
}

// seldom is how often an outage that is tried again soon is logged, at most: a server that fails now and then would fill the log.
const seldom = time.Minute

// ill notes what keeps the sink; the beginning of an outage is logged once, and every reason that a person must correct.
func (w *Writer) ill(state string, err error, retry time.Duration) {
	problem := err.Error()
	cause, remedy := edged.Explanation(err)
	w.mu.Lock()
	before := w.health
	now := time.Now()
	w.health = Health{State: state, Problem: problem, Cause: cause, Remedy: remedy, Since: now, Next: now.Add(retry)}
	if before.Problem != "" {
		w.health.Since = before.Since
	}
	held := state == "holding" && before.Problem != problem
	outage := state != "holding" && before.Problem == "" && (w.said.IsZero() || now.Sub(w.said) >= seldom)
	if held || outage {
		w.said, w.loud = now, true
	}
	w.mu.Unlock()
	if held {
		w.o.Log.Error("the sink cannot work as it is configured; its rows are held until it can, and it is tried every minute", "sink", w.o.Name, "error", problem)
	}
	if outage {
		w.o.Log.Warn("the sink does not take rows; they wait on disk, and it is tried again", "sink", w.o.Name, "error", problem)
	}
}

// came feeds the watchdog, and shows where the deliveries are.
func (w *Writer) came() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.round = time.Now()
	w.seen = w.seen[:0]
	for _, d := range w.deliveries {
		w.seen = append(w.seen, seen{d.known, d.rec})
	}
}

// seen is where a delivery was when its writer last came round.
type seen struct {
	known bool
	rec   record
}

// LastRound is when the writer last came round. While a write is under way it comes round every batch interval.
func (w *Writer) LastRound() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.round
}

// Status is what is shown of a delivery: its part of the ledger, and where it stands.
type Status struct {
	Stream       string `json:"stream"`
	Sink         string `json:"sink"`
	Produced     uint64 `json:"produced"` // rows that the stream gave
	Counts              // produced = delivered + dead + dropped + damaged + pending
	Pending      int64  `json:"pending"`
	PendingBytes int64  `json:"pending_bytes"` // of log that the delivery holds back, other topics included
	MaxPending   int64  `json:"max_pending"`
	WhenFull     string `json:"when_full"`
	Position     string `json:"position"`
	Balanced     bool   `json:"balanced"`
}

func (d *Delivery) status(s Store, sink string, at seen) Status {
	rec := at.rec
	st := Status{Stream: d.stream, Sink: sink, Counts: rec.Counts, MaxPending: d.max, WhenFull: d.whenFull, Balanced: true}
	if !at.known {
		return st
	}
	c := rec.cursor(d.name)
	st.PendingBytes = s.Pending(c.Log, c.Need)
	st.Position = fmt.Sprintf("%s %v", rec.At.Log, rec.At.place().Pos)
	st.Produced = rec.produced(d.feed)
	end := d.feed.End()
	st.Pending = int64(st.Produced) - int64(rec.passed())
	if !rec.Young && rec.At.place() == end && rec.produced(d.feed) == st.Produced {
		st.Balanced = st.Pending == 0
	}
	return st
}

// Status returns the deliveries' state, and the sink's.
func (w *Writer) Status() ([]Status, Health) {
	w.mu.Lock()
	health, at := w.health, append([]seen(nil), w.seen...)
	w.mu.Unlock()
	var out []Status
	for i, d := range w.deliveries {
		if i == len(at) {
			at = append(at, seen{}) // it has not come round yet: the delivery is shown without a position
		}
		if d.seldom && !at[i].known {
			continue
		}
		out = append(out, d.status(w.o.Store, w.o.Name, at[i]))
	}
	return out, health
}

// sayOnce logs the first of many: the counts say the rest.
func (w *Writer) sayOnce(stream, msg string, err error) {
	if w.meter.first(stream + msg) {
		w.o.Log.Warn(msg, "sink", w.o.Name, "stream", stream, "error", err)
	}
}

// meter is a writer's set of metrics.
type meter struct {
	set      *metrics.Set
	sink     string
	failures *metrics.Counter
	said     map[string]bool
}

func newMeter(o Options) *meter {
	return &meter{
		set: o.Metrics, sink: o.Name, said: map[string]bool{},
		failures: o.Metrics.GetOrCreateCounter(fmt.Sprintf("edged_sink_failures_total{sink=%q}", o.Name)),
	}
}

func (m *meter) rows(stream, what string, n int) {
	m.set.GetOrCreateCounter(fmt.Sprintf("edged_sink_rows_%s_total{sink=%q,stream=%q}", what, m.sink, stream)).Add(n)
}

func (m *meter) first(what string) bool {
	first := !m.said[what]
	m.said[what] = true
	return first
}

func readJSON(c edged.Cursor, into any) error {
	if err := json.Unmarshal(c.Data, into); err != nil {
		return fmt.Errorf("the record of %s cannot be read: %w", c.Name, err)
	}
	return nil
}
