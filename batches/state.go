package batches

import (
	"edged"
	"edged/batches/window"
)

// state is what a stream remembers of the rows that it has taken: its open windows, of one kind. What it gives depends on the rows and on the
// watermarks only, in the order of the log. It is used by one goroutine.
type state interface {
	// add takes a row, which it may look at until it returns, and says what has become of it.
	add(in *arrived) fate
	// advance is called at the end of every entry of the log: what has ended by the watermark leaves.
	advance(watermark edged.Instant, out *output)
	// closeAll has everything leave, ended or not, marked as partial: another definition begins.
	closeAll(out *output)
	// awaits is the time for which what is open waits; false if nothing does.
	awaits() (edged.Instant, bool)
	// count is how many groups are held.
	count() int
	// empty says that nothing is held that a checkpoint would have to keep.
	empty() bool

	// changes adds to a checkpoint what has changed since the last one. Keys begin with another letter than h.
	changes(put func(key string, value []byte))
	// appendHeader adds what stands in the checkpoint's header; readHeader takes it off there.
	appendHeader(b []byte) []byte
	readHeader(r *headerReader)
	// load takes a value of the checkpoint back, and says what is lost if it cannot be read, or err says so.
	load(key string, value []byte, err error) loss
	// tear says that parts of what began before at may be gone.
	tear(at edged.Instant)
}

// stepper is a state that gives something at the end of a step, when what the step has given and its position are about to be committed.
type stepper interface {
	stepEnd(watermark edged.Instant, out *output)
}

// newState makes the empty state of a plan; nil for one that remembers nothing.
func newState(p *Plan, out *output) state {
	switch {
	case p.window.OnGrid():
		return newPanes(p)
	case p.window.Kind == window.Session:
		return newSessions(p)
	case p.window.Kind == window.Count:
		return newCounted(p)
	case p.window.Kind == window.Batch:
		return newBatch(p)
	case p.window.Kind == window.Running:
		return newRunning(p)
	case p.Logged():
		return &passing{out}
	}
	return nil
}

// loss is what is gone with a value of a checkpoint that cannot be read.
type loss uint8

const (
	nothing loss = iota
	marked       // what leaves later and had a part in it says partial
	unknown      // anything may be incomplete
)

// arrived is a row on its way into the state.
type arrived struct {
	reader    *rowReader
	epoch     uint32        // of its arrival
	at        int64         // the row's time
	key       []byte        // of its group
	args      []edged.Value // what the aggregates take of it: see Plan.inputs
	trusted   bool          // the wall clock was synchronised
	watermark edged.Instant // before it
	left      edged.Instant // behind a join of two streams: when it leaves that
}

// values are those that the row is grouped by, for a group that keeps them.
func (in *arrived) values() []edged.Value {
	if r := in.reader; len(r.p.keys) > 0 {
		return r.groupValues()
	}
	return nil
}
