package daemon

import (
	"maps"
	"os"
	"slices"
	"time"

	"edged"
	"edged/batches"
	"edged/blockstore"
	"edged/broker"
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
	Loaded    time.Time         `json:"config_loaded"`
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
	Dead      *DeadLetters      `json:"dead_letters,omitempty"`
	Problems  []string          `json:"problems,omitempty"` // what is wrong, and what to do
	Notes     []string          `json:"notes,omitempty"`    // what a person should know, and may be as configured
}

// StoreStatus is the store's room and what it costs the card.
type StoreStatus struct {
	blockstore.Space
	blockstore.Wear
	Budget  blockstore.Budget `json:"write_budget"`
	Clock   edged.Instant     `json:"clock"`
	LogEnd  uint64            `json:"log_end"`
	Trusted bool              `json:"clock_trusted"` // the wall clock is synchronised

	Notes      []blockstore.Note `json:"notes,omitempty"`      // what was damaged, and not forgotten yet
	Unreadable string            `json:"unreadable,omitempty"` // log entries that cannot be read
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
	Rate     *receiver.Rate     `json:"rate,omitempty"` // at most; nil if there is neither max_rate nor an estimate
	Link     *remote.LinkStatus `json:"link,omitempty"` // to an external broker
}

// PublisherStatus is how the pins reach an external broker.
type PublisherStatus struct {
	Part supervise.State   `json:"part"`
	Link remote.LinkStatus `json:"link"`
	remote.Outbox
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
	now := d.now()
	s := Status{
		Version: d.o.Version, State: stateNames[d.state.Load()], PID: os.Getpid(), Started: d.started, Config: now.c.File, Loaded: now.loaded, DataDir: now.c.DataDir,
		StoreUUID: d.store.UUID(), Blocked: d.gate.Blocked(),
		Store: StoreStatus{
			Space: d.store.Space(), Clock: d.clock.Now(), LogEnd: d.store.End(), Wear: d.store.Wear(), Budget: d.store.Budget(),
			Notes: d.store.Notes(), Unreadable: d.store.Unreadable(),
		},
	}
	s.Store.Trusted = d.trusted.get()
	if d.broker != nil {
		b := d.broker.Status()
		s.Broker = &b
	}
	if now.gpio != nil {
		s.Pins = now.gpio.Status()
	}
	if p := now.publisher; p != nil {
		s.Publisher = &PublisherStatus{p.part.State(), p.Link(), p.Outbox()}
	}
	for _, in := range now.inputs {
		if r := in.status(d.store); r.Name != sessions || r.Received > 0 {
			s.Receivers = append(s.Receivers, r)
		}
	}
	for _, st := range now.streams {
		s.Streams = append(s.Streams, StreamStatus{st.part.State(), st.Status()})
	}
	for _, w := range now.writers {
		deliveries, health := w.Status()
		s.Sinks = append(s.Sinks, SinkStatus{w.Name(), w.part.State(), health, deliveries})
	}
	s.Kept = d.kept()
	s.Dead = d.deadLetters(s.Sinks)
	f := facts{now: time.Now(), stuck: d.Healthy(), refused: d.refusedFiles(), config: d.unapplied(time.Now())}
	f.holder, f.heldBy = d.store.Holder()
	f.awaited, f.awaitedSince = d.store.Awaited()
	s.Problems, s.Notes = s.sentences(f)
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
	if rate := in.Generator.Rate(); rate.MaxRate > 0 || len(rate.Estimates) > 0 {
		r.Rate = &rate
	}
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
	known := d.now().known
	for _, c := range d.store.Cursors() {
		if !slices.Contains(known, c.Name) && len(c.Need) > 0 {
			out = append(out, Kept{c.Name, d.store.Pending(c.Log, c.Need)})
		}
	}
	return out
}

// refusedFiles are the parts that cannot use their files, and why.
func (d *Daemon) refusedFiles() map[string]error {
	all := map[string]error{}
	maps.Copy(all, d.files.Refused())
	for _, in := range d.now().inputs {
		maps.Copy(all, in.files.Refused())
	}
	return all
}
