package daemon

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"edged"
	"edged/batches"
	"edged/blockstore"
	"edged/broker/remote"
	"edged/gpio"
	"edged/internal/supervise"
	"edged/receiver"
	"edged/sinks/delivery"
	"edged/sinks/file"
	"edged/sinks/spec"
)

// makeGPIO gives the pins a broker to publish to.
func (d *Daemon) makeGPIO() {
	if d.c.GPIO == nil || d.o.NoReceivers {
		return
	}
	var publish gpio.Publish
	if external := d.c.Publisher(); external != nil {
		d.publisher = &publisher{remote.NewPublisher(external, d.log, d.set), supervise.Part{Name: "gpio publisher"}}
		publish = d.publisher.Publish
	} else {
		publish = d.broker.Publish
	}
	d.gpio = gpio.New(d.c.GPIO, publish, d.log, d.set)
}

// makeStreams makes the streams, and the router that counts for them.
func (d *Daemon) makeStreams() {
	var plans []*batches.Plan
	d.pressure = newPressure(d.set, d.c.Batch.Interval.D())
	for _, c := range d.c.Streams {
		plans = append(plans, c.Plan)
		s := batches.New(batches.Options{
			Config: c.StreamConfig, Plan: c.Plan, Store: d.store, Log: d.log, Interval: d.c.Batch.Interval.D(), Checkpoint: d.c.Store.Checkpoint.D(),
			Report: d.pressure.stream(c.Name),
		})
		d.store.AddRider(s)
		d.streams = append(d.streams, &stream{Stream: s, part: supervise.Part{Name: "stream " + c.Name}})
	}
	d.store.SetRouter(batches.NewRouter(plans))
}

// makeSinks makes the sinks' writers, the one of the dead letters among them, and the gate in front of the receivers.
func (d *Daemon) makeSinks() {
	half := int64(d.c.Store.MaxBytes) / 2
	gate := delivery.GateOptions{Store: d.store, Known: d.known, OrphanMax: half, Log: d.log, Resolution: d.c.Store.CommitInterval.D(), Takes: d.takes}
	for _, c := range d.c.Sinks {
		if len(c.Streams) == 0 {
			continue
		}
		env := spec.Env{
			Name: c.Name, Streams: c.Streams, Keys: d.c.Keys(c.Streams), DataDir: d.c.DataDir, Embedded: d.broker != nil,
			Log: d.log, Metrics: d.set, Stdout: d.o.Stdout, Dial: d.dial,
		}
		o := delivery.Options{Name: c.Name, Sink: c.Config.New(env), Encoding: c.Config.Encoding(), Limits: c.Config.Limits()}
		if c.Common.Backpressure {
			o.Report = d.pressure.sink(c.Name, c.Streams)
		}
		for _, s := range d.streams {
			if !slices.Contains(c.Streams, s.Name()) {
				continue
			}
			max := c.Common.MaxPending.Or(half)
			o.Deliveries = append(o.Deliveries, delivery.DeliverySpec{
				Stream: s.Name(), Feed: s.Feed(), Start: d.startOf(s.Name()), MaxPending: max, WhenFull: c.Common.WhenFull,
			})
			if c.Common.WhenFull == "block" {
				gate.Blocking = append(gate.Blocking, delivery.Blocking{Stream: s.Name(), Sink: c.Name, Max: max})
			}
		}
		d.addWriter(o)
	}
	gate.Blocking = append(gate.Blocking, delivery.Blocking{Stream: edged.DeadLetters, Sink: edged.DeadLetters, Max: half})
	d.addDeadLetters(half)
	d.gate = delivery.NewGate(gate)
}

// dial gives a sink its way to a broker: an external one, or the one in this process.
func (d *Daemon) dial(ctx context.Context, to spec.Remote) (spec.Publisher, error) {
	if to != nil {
		s, err := remote.Dial(ctx, to.(*remote.Access))
		if err != nil {
			return nil, err
		}
		return s, nil
	}
	if d.broker == nil {
		return nil, edged.Explain(errors.New("the embedded broker does not run, because nothing is to be taken in (--no-receivers)"), "the embedded broker does not run", "start edged without --no-receivers")
	}
	return d.broker.NewInner(), nil
}

func (d *Daemon) addWriter(o delivery.Options) {
	o.Store, o.Interval, o.Log, o.Metrics = d.store, d.c.Batch.Interval.D(), d.log, d.set
	w := delivery.New(o)
	d.store.AddRider(w)
	d.writers = append(d.writers, &writer{Writer: w, part: supervise.Part{Name: "sink " + o.Name}})
}

func (d *Daemon) addDeadLetters(max int64) {
	env := spec.Env{Name: edged.DeadLetters, Streams: []string{edged.DeadLetters}, DataDir: d.c.DataDir, Log: d.log, Metrics: d.set}
	limits := file.Default()
	d.addWriter(delivery.Options{
		Name: edged.DeadLetters, Sink: file.NewDeadLetters(d.c.DeadLetters.Path, int64(d.c.DeadLetters.MaxBytes), d.c.DeadLetters.WhenFull, env),
		Encoding: limits.Encoding(), Limits: spec.Limits{Rows: 100, Bytes: 64 << 10},
		Deliveries: []delivery.DeliverySpec{{
			Stream: edged.DeadLetters, Feed: batches.DeadLetterFeed(d.store), Start: "oldest", MaxPending: max, WhenFull: "block",
		}},
	})
}

// takes reports whether a closed stream needs a message. Every stream may make dead letters.
func (d *Daemon) takes(name, receiver, topic string) bool {
	for _, s := range d.c.Streams {
		if (s.Name == name || name == edged.DeadLetters) && s.Plan.Takes(receiver, topic) {
			return true
		}
	}
	return false
}

func (d *Daemon) startOf(stream string) string {
	for _, s := range d.c.Streams {
		if s.Name == stream {
			return s.Start
		}
	}
	return "oldest"
}

// makeReceivers makes receivers and their generators, and registers these with the store.
func (d *Daemon) makeReceivers() {
	if d.o.NoReceivers {
		return
	}
	for _, c := range d.c.Receivers {
		level := blockstore.Level(slices.Index(blockstore.Levels, c.Common.Storage))
		g := receiver.New(receiver.Options{
			Name: c.Name, Block: *d.c.Block, Memory: level == blockstore.Memory, Split: c.Common.Split,
			MaxRate: float64(c.Common.MaxRate), MinRate: float64(c.Common.MinRate), Batch: d.c.Batch.Interval.D(),
			Clock: d.clock, Trusted: d.trusted.get, Store: d.store, Admission: d.gate, Log: d.log,
		})
		d.store.AddSource(c.Name, level, g)
		d.pressure.receiver(c.Name, g, c.Common.Backpressure)
		env := receiver.Env{
			Name: c.Name, DataDir: d.c.DataDir, Embedded: d.broker != nil, Log: d.log, Metrics: d.set,
			Notes: notes{d.store}, Reload: d.reload.Add,
			Dial: func(r receiver.Remote, topics []string) edged.Receiver {
				return remote.NewReceiver(r.(*remote.Config), topics, memory{d.store}, d.log, d.set)
			},
		}
		if d.broker != nil {
			env.Attach = func(filters []string, h edged.Handler) func() {
				attach := d.broker.Attach
				if c.Common.Split != "" {
					attach = d.broker.AttachParts
				}
				return attach(filters, h, level != blockstore.Memory)
			}
		}
		base := totalOf(d.store.LastTick(), c.Name)
		d.inputs = append(d.inputs, &input{c.Name, base, receiver.NewSupervisor(c.Name, c.Config.New(env), g, d.log)})
	}
}

// sessions is the receiver of messages that nobody wants but MQTT sessions which are kept. They are in the log for those alone. No
// receiver of the configuration can have its name.
const sessions = "(sessions)"

// makeSessions gives the broker its own source in the log.
func (d *Daemon) makeSessions() {
	if d.broker == nil {
		return
	}
	g := receiver.New(receiver.Options{
		Name: sessions, Block: *d.c.Block, Clock: d.clock, Trusted: d.trusted.get, Store: d.store, Admission: d.gate, Log: d.log,
	})
	d.store.AddSource(sessions, blockstore.MemoryAndDisk, g)
	d.broker.AttachOwn(g)
	d.store.AddRider(d.broker)
	base := totalOf(d.store.LastTick(), sessions)
	d.inputs = append(d.inputs, &input{sessions, base, receiver.NewSupervisor(sessions, passive{}, g, d.log)})
}

// passive is a receiver that is given what it takes.
type passive struct{}

// Run implements edged.Receiver.
func (passive) Run(ctx context.Context, _ edged.Handler) error {
	<-ctx.Done()
	return nil
}

// watchBroker has the broker read its files again when they change.
func (d *Daemon) watchBroker() {
	passwords, rules, certificates := d.broker.Files()
	for _, w := range []struct {
		name  string
		files []string
		read  func() error
	}{
		{"broker.password_file", passwords, d.broker.ReloadPasswords},
		{"broker.acl_file", rules, d.broker.ReloadRules},
		{"broker.tls", certificates, d.broker.ReloadCertificates},
	} {
		if len(w.files) > 0 {
			d.reload.Add(w.name, w.files, w.read)
		}
	}
}

// spaces of the store that belong to the broker room.
const (
	spaceRetained = "retained" // by topic
	spaceTopics   = "topics"   // by client id: what an external broker's session is subscribed to
)

// retained gives the broker's retained messages a place in the store.
type retained struct{ s *blockstore.Store }

// Load implements broker.Retained.
func (r retained) Load(each func(topic string, value []byte) error) error {
	return r.s.Values(spaceRetained, func(key string, value []byte, err error) error {
		if err != nil {
			value = nil // it is damaged, and the broker says so
		}
		return each(key, value)
	})
}

// Put implements broker.Retained.
func (r retained) Put(topic string, value []byte, done func(error)) {
	if value != nil {
		value = append([]byte{}, value...)
	}
	r.s.Submit(&edged.Update{Intake: true, Puts: []edged.Put{{Space: spaceRetained, Key: topic, Value: value}}}, false, done)
	r.s.Waiting()
}

// memory gives an external broker's subscriptions a place in the store.
type memory struct{ s *blockstore.Store }

// Topics implements remote.Memory.
func (m memory) Topics(clientID string) (topics []string) {
	_ = m.s.Values(spaceTopics, func(key string, value []byte, err error) error {
		if key == clientID && err == nil {
			topics = splitLines(string(value))
		}
		return nil
	})
	return topics
}

// Remember implements remote.Memory.
func (m memory) Remember(clientID string, topics []string) error {
	u := &edged.Update{Puts: []edged.Put{{Space: spaceTopics, Key: clientID, Value: []byte(joinLines(topics))}}}
	if err := m.s.Commit(context.Background(), u, false); err != nil {
		return fmt.Errorf("the topics of client %s cannot be remembered: %w", clientID, err)
	}
	return nil
}
