package daemon

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

	"edged"
	"edged/batches"
	"edged/blockstore"
	"edged/broker"
	"edged/broker/record"
	"edged/broker/remote"
	"edged/gpio"
	"edged/internal/supervise"
	"edged/receiver"
	"edged/sinks/delivery"
)

// Status is what /api/status answers.
type Status struct {
	Version   string            `json:"version"`
	State     string            `json:"state"`
	PID       int               `json:"pid"`
	Started   time.Time         `json:"started"`
	Config    string            `json:"config"`
	DataDir   string            `json:"data_dir"`
	StoreUUID string            `json:"store_uuid"`
	Store     StoreStatus       `json:"store"`
	Broker    *broker.Status    `json:"broker,omitempty"`
	Pins      []gpio.PinStatus  `json:"pins,omitempty"`
	Publisher *PublisherStatus  `json:"publisher,omitempty"` // of the pins, to an external broker
	Receivers []ReceiverStatus  `json:"receivers"`
	Streams   []StreamStatus    `json:"streams"`
	Sinks     []SinkStatus      `json:"sinks"`
	Kept      []Kept            `json:"kept,omitempty"`
	Blocked   map[string]string `json:"blocked,omitempty"` // streams whose intake is stopped, and the sink that stops it
	Problems  []string          `json:"problems,omitempty"`
}

// StoreStatus is the store's room and what it has written.
type StoreStatus struct {
	blockstore.Space
	Clock      edged.Instant `json:"clock"`
	LogEnd     uint64        `json:"log_end"`
	Trusted    bool          `json:"clock_trusted"`     // the wall clock is synchronised
	Written    uint64        `json:"written"`           // bytes since the start
	Commits    uint64        `json:"commits"`           // since the start
	BudgetLeft int64         `json:"write_budget_left"` // bytes; -1 without a bound
}

// ReceiverStatus is a receiver's part of the ledger: received = stored + rejected + in queue. Received is the receiver's own
// count, stored the committer's; when nothing waits they must agree.
type ReceiverStatus struct {
	Name     string             `json:"name"`
	Part     supervise.State    `json:"part"`
	Received uint64             `json:"received"` // since the store was made, as are stored, bytes and rejected
	Stored   uint64             `json:"stored"`
	Bytes    uint64             `json:"bytes"` // topics and payloads of what was stored
	Rejected uint64             `json:"rejected"`
	InQueue  int64              `json:"in_queue"`
	Balanced bool               `json:"balanced"`
	Blocks   receiver.Status    `json:"blocks"`
	Link     *remote.LinkStatus `json:"link,omitempty"` // to an external broker
}

// PublisherStatus is how the pins reach an external broker.
type PublisherStatus struct {
	Part supervise.State   `json:"part"`
	Link remote.LinkStatus `json:"link"`
}

// StreamStatus is a stream's part of the ledger and its state.
type StreamStatus struct {
	Part supervise.State `json:"part"`
	batches.Status
}

// SinkStatus is a sink's state, with the ledger of its deliveries.
type SinkStatus struct {
	Name       string            `json:"name"`
	Part       supervise.State   `json:"part"`
	Health     delivery.Health   `json:"health"`
	Deliveries []delivery.Status `json:"deliveries"`
}

// Kept is a cursor of something that is no longer configured: it is kept until it has held back max_pending.
type Kept struct {
	Cursor string `json:"cursor"`
	Bytes  int64  `json:"bytes"`
}

// Status returns the gateway's state.
func (d *Daemon) Status() Status {
	s := Status{
		Version: d.o.Version, State: stateNames[d.state.Load()], PID: os.Getpid(), Started: d.started, Config: d.c.File, DataDir: d.c.DataDir,
		StoreUUID: d.store.UUID(), Blocked: d.gate.Blocked(),
		Store: StoreStatus{Space: d.store.Space(), Clock: d.clock.Now(), LogEnd: d.store.End(), BudgetLeft: d.store.BudgetLeft()},
	}
	s.Store.Trusted = d.trusted.get()
	s.Store.Written, s.Store.Commits = d.store.Written()
	if d.broker != nil {
		b := d.broker.Status()
		s.Broker = &b
	}
	if d.gpio != nil {
		s.Pins = d.gpio.Status()
	}
	if p := d.publisher; p != nil {
		s.Publisher = &PublisherStatus{p.part.State(), p.Link()}
	}
	for _, in := range d.inputs {
		if r := in.status(d.store); r.Name != sessions || r.Received > 0 {
			s.Receivers = append(s.Receivers, r)
		}
	}
	for _, st := range d.streams {
		s.Streams = append(s.Streams, StreamStatus{st.part.State(), st.Status()})
	}
	for _, w := range d.writers {
		deliveries, health := w.Status()
		s.Sinks = append(s.Sinks, SinkStatus{w.Name(), w.part.State(), health, deliveries})
	}
	s.Kept = d.kept()
	s.Problems = s.problems(d)
	return s
}

func (in *input) status(store *blockstore.Store) ReceiverStatus {
	before := in.Generator.Status()
	total := totalOf(store.LastTick(), in.name)
	after := in.Generator.Status()
	r := ReceiverStatus{
		Name: in.name, Part: in.Part.State(), Blocks: after,
		Received: in.base.Stored + in.base.Rejected + after.Received,
		Stored:   total.Stored, Bytes: total.Bytes, Rejected: in.base.Rejected + after.Rejected,
	}
	r.InQueue = int64(r.Received - r.Stored - r.Rejected)
	r.Balanced = r.InQueue == 0 || before.Waiting+after.Waiting > 0 || before != after
	if x, ok := in.Receiver.(interface{ Link() remote.LinkStatus }); ok {
		link := x.Link()
		r.Link = &link
	}
	return r
}

// totalOf is what a tick says of a receiver.
func totalOf(t *edged.Tick, name string) edged.ReceiverTotal {
	if t != nil {
		for _, r := range t.Receivers {
			if r.Receiver == name {
				return r
			}
		}
	}
	return edged.ReceiverTotal{}
}

// kept lists the cursors that belong to nothing in the configuration.
func (d *Daemon) kept() (out []Kept) {
	known := map[string]bool{record.Cursor: d.c.Broker != nil}
	for _, s := range d.streams {
		known[edged.StreamCursor(s.Name())] = true
	}
	for _, w := range d.writers {
		known["sink/"+w.Name()] = true
		deliveries, _ := w.Status()
		for _, del := range deliveries {
			known[edged.DeliveryCursor(del.Stream, del.Sink)] = true
		}
	}
	for _, c := range d.store.Cursors() {
		if !known[c.Name] && len(c.Need) > 0 {
			out = append(out, Kept{c.Name, d.store.Pending(c.Log, c.Need)})
		}
	}
	return out
}

func away(say func(string, ...any), who string, l remote.LinkStatus) {
	if !l.Connected && !l.Since.IsZero() {
		say("%s: no connection to %s since %s: %s", who, l.Broker, l.Since.Local().Format(time.DateTime), l.Error)
	}
}

// problems says in sentences what is wrong and what to do.
func (s *Status) problems(d *Daemon) (out []string) {
	say := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	if err := d.Healthy(); err != nil {
		say("stuck: %v", err)
	}
	if s.Store.Room <= 0 && s.Store.Max > 0 {
		say("the store is full (%d of %d bytes, %d free on the disk): nothing is taken in until something was delivered", s.Store.Used, s.Store.Max, s.Store.DiskFree)
		if holder, held := d.store.Holder(); held > 0 {
			say("%s holds back most of the log, %d bytes", holder, held)
		}
	}
	refused := d.reload.Refused()
	for _, name := range slices.Sorted(maps.Keys(refused)) {
		say("%s: its files were changed and cannot be used: %v; what was read before stays in use until the next start, which will fail", name, refused[name])
	}
	for stream, sink := range s.Blocked {
		say("stream %s: intake is stopped, because sink %s has reached max_pending (when_full = \"block\")", stream, sink)
	}
	for _, r := range s.Receivers {
		if r.Part.State == "waiting" || r.Part.State == "stopped" {
			say("receiver %s is %s: %s", r.Name, r.Part.State, r.Part.LastErr)
		} else if r.Link != nil {
			away(say, "receiver "+r.Name, *r.Link)
		}
		if !r.Balanced {
			say("receiver %s: the ledger does not balance, %d messages are missing; please report it", r.Name, r.InQueue)
		}
	}
	if p := s.Publisher; p != nil {
		if p.Part.State == "waiting" || p.Part.State == "stopped" {
			say("the pins' readings are not published, the publisher is %s: %s", p.Part.State, p.Part.LastErr)
		} else {
			away(say, "the publisher of the pins", p.Link)
		}
	}
	for _, p := range s.Pins {
		switch {
		case p.State == "waiting" || p.State == "stopped":
			say("pin %s is %s: %s", p.Name, p.State, p.LastError)
		case p.PublishError != "":
			say("pin %s: readings are dropped: %s", p.Name, p.PublishError)
		}
	}
	for _, st := range s.Streams {
		switch {
		case st.Part.State == "waiting" || st.Part.State == "stopped":
			say("stream %s is %s: %s", st.Stream, st.Part.State, st.Part.LastErr)
		case st.Problem != "":
			say("stream %s: %s", st.Stream, st.Problem)
		}
		if !st.Balanced {
			say("stream %s: the ledger does not balance, %d messages are missing; please report it", st.Stream, st.Pending)
		}
	}
	for _, k := range s.Sinks {
		if k.Part.State == "waiting" || k.Part.State == "stopped" {
			say("sink %s is %s: %s", k.Name, k.Part.State, k.Part.LastErr)
		}
		if k.Health.Problem != "" {
			rows, bytes := int64(0), int64(0)
			for _, del := range k.Deliveries {
				rows, bytes = rows+del.Pending, bytes+del.PendingBytes
			}
			say("sink %s: %s since %s, %d rows wait (%d bytes of log): %s", k.Name, k.Health.State, k.Health.Since.Local().Format(time.DateTime), rows, bytes, k.Health.Problem)
		}
		for _, del := range k.Deliveries {
			if !del.Balanced {
				say("stream %s to sink %s: the ledger does not balance, %d rows are missing; please report it", del.Stream, del.Sink, del.Pending)
			}
		}
	}
	for _, k := range s.Kept {
		say("%s is not configured any more; it holds back %d bytes until it is given up at max_pending", k.Cursor, k.Bytes)
	}
	return out
}
