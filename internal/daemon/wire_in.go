package daemon

import (
	"context"
	"slices"

	"edged"
	"edged/blockstore"
	"edged/broker/remote"
	"edged/internal/reload"
	"edged/receiver"

	"github.com/VictoriaMetrics/metrics"
)

// makeReceivers makes receivers and their generators.
func (m *maker) makeReceivers() {
	if m.o.NoReceivers {
		return
	}
	d := m.Daemon
	for _, c := range m.c.Receivers {
		if m.keeps("receiver", c.Name) {
			m.inputs = append(m.inputs, m.old.input(c.Name))
			continue
		}
		level, set := blockstore.Level(slices.Index(blockstore.Levels, c.Common.Storage)), metrics.NewSet()
		g := receiver.New(receiver.Options{
			Name: c.Name, Block: m.c.Blocks(), Memory: level == blockstore.Memory, Split: c.Common.Split,
			MaxRate: float64(c.Common.MaxRate), MinRate: float64(c.Common.MinRate), Batch: m.c.Batch.Interval.D(),
			Clock: m.clock, Trusted: m.trusted.get, Store: m.store, Admission: m.gate, Log: m.log,
		})
		files := reload.New(m.log)
		env := receiver.Env{
			Name: c.Name, DataDir: m.c.DataDir, Embedded: m.broker != nil, Log: m.log, Metrics: set, Notes: notes{m.store}, Reload: files.Add,
			Wanted: func(since edged.Pos) bool { return d.now().wanted(c.Name, since) },
			Dial: func(r receiver.Remote, topics []string) edged.Receiver {
				return remote.NewReceiver(r.(*remote.Config), topics, memory{m.store}, m.log, set)
			},
		}
		if m.broker != nil {
			env.Attach = func(filters []string, h edged.Handler) func() {
				source := c.Name
				if level == blockstore.Memory {
					source = ""
				}
				return m.attach(c.Name, source, filters, h, c.Common.Split == "")
			}
		}
		m.addInput(&input{c.Name, m.baseOf(c.Name), level, set, files, c.Common.Backpressure, receiver.NewSupervisor(c.Name, c.Config.New(env), g, m.log)})
	}
}

func (m *maker) addInput(in *input) {
	inputGauges(in)
	m.inputs = append(m.inputs, in)
}

// baseOf is what was received under a name before.
func (m *maker) baseOf(name string) edged.ReceiverTotal {
	base := totalOf(m.store.LastTick(), name)
	if m.old == nil {
		return base
	}
	if before := m.old.input(name); before != nil { // what it took and the store has no room for is stored later
		s := before.Generator.Status()
		base.Stored += uint64(s.Waiting)
		base.Rejected = before.base.Rejected + s.Rejected
	}
	return base
}

// attach gives a receiver its door at the embedded broker: a new one, or that of the receiver whose place it takes. source is its name if its
// blocks are in the log for good; whole says that messages go there as they came.
func (d *Daemon) attach(name, source string, filters []string, h edged.Handler, whole bool) (detach func()) {
	if o := d.doors[name]; o != nil {
		o.detach = d.broker.Reattach(source, filters, o, whole)
		o.turn(h)
		return o.leave
	}
	o := newDoor(h)
	attach := d.broker.Attach
	if !whole {
		attach = d.broker.AttachParts
	}
	o.detach = attach(source, filters, o)
	d.doors[name] = o
	return o.leave
}

// sessions is the receiver of messages that nobody wants but MQTT sessions which are kept. They are in the log for those alone. No
// receiver of the configuration can have its name.
const sessions = "(sessions)"

// makeSessions gives the broker its own source in the log, once for all configurations.
func (m *maker) makeSessions() {
	if m.broker == nil {
		return
	}
	if m.old != nil {
		m.inputs = append(m.inputs, m.old.input(sessions))
		return
	}
	g := receiver.New(receiver.Options{
		Name: sessions, Block: m.c.Blocks(), Clock: m.clock, Trusted: m.trusted.get, Store: m.store, Admission: m.gate, Log: m.log,
	})
	m.broker.AttachOwn(sessions, g)
	m.addInput(&input{sessions, m.baseOf(sessions), blockstore.MemoryAndDisk, metrics.NewSet(), reload.New(m.log), false, receiver.NewSupervisor(sessions, passive{}, g, m.log)})
}

// passive is a receiver that is given what it takes.
type passive struct{}

// Run implements edged.Receiver.
func (passive) Run(ctx context.Context, _ edged.Handler) error {
	<-ctx.Done()
	return nil
}
