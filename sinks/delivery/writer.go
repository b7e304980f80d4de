package delivery

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"edged"
	"edged/sinks/spec"

	"github.com/VictoriaMetrics/metrics"
	"github.com/cenkalti/backoff/v5"
)

// Options make a Writer.
type Options struct {
	Name       string // of the sink
	Sink       edged.Sink
	Encoding   string
	Limits     spec.Limits
	TurnBytes  int64 // of rows in one turn at most, about; 0: 8 MiB
	Deliveries []DeliverySpec
	Store      Store
	Interval   time.Duration // batch interval
	Log        *slog.Logger
	Metrics    *metrics.Set
	Yields     func(cursor string) bool // a delivery of another sink may lose rows; nil: none may. Called by any goroutine
	Report     func(Report)             // of every write that the sink took rows of, from Run's goroutine; nil: nobody asks
}

// Writer is the one writer of a sink. Run owns it; Ride, Status and LastRound may be used by others at any time.
type Writer struct {
	o          Options
	limits     spec.Limits
	deliveries []*Delivery
	rec        sinkRecord
	turn       []planned
	spare      []*edged.Rows // of the turn that was planned last: the next one, when that is over, takes their memory
	planned    time.Time     // the time of that turn
	parts      int           // of one turn at most
	committed  bool          // the turn's ranges are
	waited     time.Duration // for the last commit that was wanted soon
	isOpen     bool          // the sink is
	size       size
	backoff    *backoff.ExponentialBackOff
	wake       chan struct{}
	meter      *meter

	mu     sync.Mutex // guards the rest
	riding []edged.Cursor
	health Health
	said   time.Time // when an outage was last logged
	loud   bool      // the present one was
	round  time.Time
	seen   []seen
}

// New makes a writer; Run starts it.
func New(o Options) *Writer {
	if o.TurnBytes == 0 {
		o.TurnBytes = turnBytes
	}
	w := &Writer{o: o, limits: o.Limits, parts: firstParts(&o), size: size{most: o.Limits.Bytes, now: o.Limits.Bytes}, wake: make(chan struct{}, 1), meter: newMeter(o), round: time.Now()}
	for _, s := range o.Deliveries {
		w.deliveries = append(w.deliveries, newDelivery(o.Name, s))
	}
	w.backoff = backoff.NewExponentialBackOff()
	w.backoff.InitialInterval, w.backoff.MaxInterval = time.Second, time.Minute
	w.health.State = "starting"
	return w
}

// Name is the sink's name.
func (w *Writer) Name() string { return w.o.Name }

// Cursors are the names of those by which it holds the logs. Rows that may never come are not among them: a cursor of theirs may not, either.
func (w *Writer) Cursors() (names []string) {
	for _, d := range w.deliveries {
		if !d.seldom {
			names = append(names, d.name)
		}
	}
	return names
}

// Run delivers until ctx ends; then it delivers what waits, as far as that goes within two seconds, and closes the sink.
func (w *Writer) Run(ctx context.Context) error {
	for _, d := range w.deliveries {
		defer d.feed.Watch(w.poke)()
	}
	defer w.came() // so that status shows where it ended
	defer w.closeSink()
	if err := w.begin(ctx); err != nil || ctx.Err() != nil {
		return err
	}
	for ctx.Err() == nil {
		if err := w.cycle(ctx, false); err != nil && ctx.Err() == nil {
			return err
		}
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastTurn)
	defer cancel()
	for last.Err() == nil {
		before := w.stamp()
		if err := w.cycle(last, true); err != nil || w.stamp() == before {
			break
		}
	}
	return w.commitMoved(last)
}

// lastTurn bounds the deliveries at the stop.
const lastTurn = 2 * time.Second

// stamp changes whenever something was delivered or set aside.
func (w *Writer) stamp() (n uint64) {
	for _, d := range w.deliveries {
		n += d.rec.passed()
	}
	return n
}

func (w *Writer) poke() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// cycle is one turn, or one wait for one.
func (w *Writer) cycle(ctx context.Context, draining bool) error {
	w.came()
	if err := w.openLate(ctx); err != nil {
		return err
	}
	if !w.isOpen {
		if err := w.o.Sink.Open(ctx, w.rec.Receipt, w.outgoing()); err != nil {
			return w.failed(ctx, err, draining)
		}
		w.isOpen = true
		w.opened()
	}
	if len(w.turn) == 0 {
		turn, more, wait, err := w.plan(time.Now(), draining)
		if err != nil {
			return w.failed(ctx, err, draining)
		}
		if w.turn, w.committed = turn, false; len(turn) == 0 {
			w.offer()
			if !draining && !more {
				w.idle(ctx, wait)
			}
			return nil
		}
	}
	if !w.committed {
		if err := w.commit(ctx, nil, false); err != nil {
			return err
		}
	}
	began := time.Now()
	done, receipt, err := w.write(ctx)
	w.report(done, time.Since(began))
	return w.outcome(ctx, done, receipt, err, draining)
}

// write has the sink write the turn, and meanwhile keeps the deliveries in order.
func (w *Writer) write(ctx context.Context) (done int, receipt []byte, err error) {
	finished := make(chan struct{})
	turn := w.outgoing()
	go func() {
		defer close(finished)
		defer func() {
			if p := recover(); p != nil {
				done, receipt, err = 0, nil, fmt.Errorf("writing caused a panic: %v", p)
			}
		}()
		done, receipt, err = w.o.Sink.Write(ctx, turn)
	}()
	tick := time.NewTicker(w.o.Interval)
	defer tick.Stop()
	for {
		select {
		case <-finished:
			return done, receipt, err
		case <-tick.C:
			w.keep(ctx)
		}
	}
}

// keep is what a sink that waits or writes is not to hold up: streams that open have their log held, and deliveries are kept within their limits.
func (w *Writer) keep(ctx context.Context) {
	w.came()
	if err := w.openLate(ctx); err != nil {
		w.o.Log.Debug("the log is not held yet for a stream that has opened", "sink", w.o.Name, "error", err)
	}
	if err := w.enforce(ctx); err != nil {
		w.o.Log.Debug("limits not enforced", "sink", w.o.Name, "error", err)
	}
}

// outgoing is the turn as the sink gets it.
func (w *Writer) outgoing() []edged.Delivery {
	out := make([]edged.Delivery, len(w.turn))
	for i, p := range w.turn {
		out[i] = edged.Delivery{Key: key(w.o.Store.UUID(), w.o.Name, p.rng), Rows: p.rows}
	}
	return out
}

// commit commits receipt, ranges and cursors together, with what else is given. It waits for the store whatever ctx says; what
// the store refuses is tried again until ctx ends. After an error nothing more may be written.
func (w *Writer) commit(ctx context.Context, results []edged.Result, soon bool) error {
	w.mu.Lock()
	w.riding = nil
	w.mu.Unlock()
	w.committed = false
	w.rec.Turn = nil
	for _, p := range w.turn {
		w.rec.Turn = append(w.rec.Turn, p.rng)
	}
	u := &edged.Update{Results: results, Cursors: []edged.Cursor{w.rec.cursor(w.o.Name)}}
	for _, d := range w.deliveries {
		if d.moved {
			u.Cursors = append(u.Cursors, d.rec.cursor(d.name))
		}
	}
	for {
		began := time.Now()
		err := w.o.Store.Commit(context.WithoutCancel(ctx), u, soon)
		if soon {
			w.waited = time.Since(began)
		}
		if err == nil {
			break
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		w.ill("waiting", fmt.Errorf("its progress cannot be stored yet: %w", err), time.Second)
		select { // not pause: what that commits would come before this
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
		w.came()
	}
	for _, d := range w.deliveries {
		d.moved = false
	}
	w.committed = true
	return nil
}

// commitMoved commits cursors that moved over nothing, at the stop.
func (w *Writer) commitMoved(ctx context.Context) error {
	for _, d := range w.deliveries {
		if d.moved {
			return w.commit(ctx, nil, true)
		}
	}
	return nil
}

// idle waits for rows, for the oldest to be due, or for the batch interval.
func (w *Writer) idle(ctx context.Context, due time.Duration) {
	if due <= 0 || due > w.o.Interval {
		due = w.o.Interval
	}
	timer := time.NewTimer(due)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-w.wake:
	case <-timer.C:
	}
	if err := w.enforce(ctx); err != nil && !errors.Is(err, ctx.Err()) {
		w.o.Log.Debug("limits not enforced", "sink", w.o.Name, "error", err)
	}
}

func (w *Writer) closeSink() {
	if err := w.o.Sink.Close(); err != nil {
		w.o.Log.Warn("the sink did not close cleanly", "sink", w.o.Name, "error", err)
	}
	w.isOpen = false
}
