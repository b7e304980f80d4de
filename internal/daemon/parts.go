package daemon

import (
	"crypto/sha256"
	"slices"
	"time"

	"edged"
	"edged/batches"
	"edged/blockstore"
	"edged/broker/remote"
	"edged/configs"
	"edged/gpio"
	"edged/internal/reload"
	"edged/internal/supervise"
	"edged/receiver"
	"edged/sinks/delivery"

	"github.com/VictoriaMetrics/metrics"
)

// parts are what a configuration was made into. They do not change: a reload makes others, which share what stays the same, and takes
// them into use at once. Whoever needs the parts asks for them each time (Daemon.now).
type parts struct {
	c      *configs.Config
	sum    [sha256.Size]byte // of the text of c
	loaded time.Time

	gpio      *gpio.Room // nil without [gpio]
	publisher *publisher // of the pins to an external broker; nil without
	pins      *metrics.Set
	inputs    []*input
	streams   []*stream
	writers   []*writer
	known     []string // names of the cursors that the configuration has
}

type input struct {
	name  string
	base  edged.ReceiverTotal // of earlier runs, and of those that had the name before
	level blockstore.Level
	set   *metrics.Set
	files *reload.Group // that it reads again when they change
	slows bool          // its streams slow it down: backpressure = true
	*receiver.Supervisor
}

type stream struct {
	*batches.Stream
	part supervise.Part
	set  *metrics.Set
}

type writer struct {
	*delivery.Writer
	part supervise.Part
	set  *metrics.Set
}

type publisher struct {
	*remote.Publisher
	part supervise.Part
}

// now are the parts that are in use.
func (d *Daemon) now() *parts { return d.inUse.Load() }

func (p *parts) input(name string) *input {
	for _, in := range p.inputs {
		if in.name == name {
			return in
		}
	}
	return nil
}

func (p *parts) stream(name string) *stream {
	for _, s := range p.streams {
		if s.Name() == name {
			return s
		}
	}
	return nil
}

// wanted reports whether a stream lacks the table of a receiver, which was last given at a place in the log.
func (p *parts) wanted(table string, since edged.Pos) bool {
	return slices.ContainsFunc(p.streams, func(s *stream) bool { return s.Wants(table, since) })
}

func (p *parts) writer(name string) *writer {
	for _, w := range p.writers {
		if w.Name() == name {
			return w
		}
	}
	return nil
}

// stopped reports whether a part has stopped for good.
func (p *parts) stopped(of partOf) bool {
	state := func(s *supervise.Part) bool { return s.State().State == "stopped" }
	switch of.kind {
	case "receiver":
		in := p.input(of.name)
		return in != nil && state(&in.Part)
	case "stream":
		s := p.stream(of.name)
		return s != nil && state(&s.part)
	case "sink":
		w := p.writer(of.name)
		return w != nil && state(&w.part)
	}
	return false
}

// sets are the parts' metrics.
func (p *parts) sets() []*metrics.Set {
	out := []*metrics.Set{p.pins}
	for _, in := range p.inputs {
		out = append(out, in.set)
	}
	for _, s := range p.streams {
		out = append(out, s.set)
	}
	for _, w := range p.writers {
		out = append(out, w.set)
	}
	return out
}

// wiring is what the store needs to know of the parts.
func (d *Daemon) wiring(p *parts) (w blockstore.Wiring) {
	for _, in := range p.inputs {
		w.Sources = append(w.Sources, blockstore.SourceOf{Name: in.name, Level: in.level, Source: in.Generator})
	}
	for _, s := range p.streams {
		w.Riders, w.Cursors = append(w.Riders, s.Stream), append(w.Cursors, edged.StreamCursor(s.Name()))
	}
	for _, k := range p.writers {
		w.Riders, w.Cursors = append(w.Riders, k.Writer), append(w.Cursors, k.Cursors()...)
	}
	if d.broker != nil {
		w.Riders = append(w.Riders, d.broker)
	}
	var plans []*batches.Plan
	for _, c := range p.c.Streams {
		plans = append(plans, c.Plan)
	}
	w.Router = batches.NewRouter(plans)
	return w
}

// wire tells the store before it runs.
func (d *Daemon) wire(p *parts) {
	w := d.wiring(p)
	for _, s := range w.Sources {
		d.store.AddSource(s.Name, s.Level, s.Source)
	}
	for _, r := range w.Riders {
		d.store.AddRider(r)
	}
	d.store.SetRouter(w.Router)
	d.store.Expect(w.Cursors)
}
