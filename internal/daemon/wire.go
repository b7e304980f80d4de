package daemon

import (
	"slices"

	"edged"
	"edged/batches"
	"edged/broker/remote"
	"edged/configs"
	"edged/gpio"
	"edged/internal/supervise"
	"edged/sinks/delivery"
	"edged/sinks/file"
	"edged/sinks/spec"

	"github.com/VictoriaMetrics/metrics"
)

// makeParts makes the parts of a configuration. Those that d leaves as they are in old are taken over from there; both are nil at the
// start. Those in old that d has stop have stopped.
func (d *Daemon) makeParts(c *configs.Config, old *parts, diff *difference) *parts {
	m := &maker{d, &parts{c: c, pins: metrics.NewSet(), known: Known(c)}, old, diff}
	m.makeGPIO()
	m.makeStreams()
	m.makeSinks()
	if d.gate == nil {
		d.gate = delivery.NewGate(delivery.GateOptions{
			Store: d.store, Blocking: d.blocking(c), Known: m.known, OrphanMax: d.half(), Log: d.log, Resolution: c.Store.CommitInterval.D(), Takes: d.takes,
		})
	}
	m.makeReceivers()
	m.makeSessions()
	return m.parts
}

// maker makes parts.
type maker struct {
	*Daemon
	*parts
	old  *parts
	diff *difference
}

// keeps reports whether a part is the old one.
func (m *maker) keeps(kind, name string) bool {
	return m.old != nil && !m.diff.of(kind, name).starts()
}

// half is half the store, in bytes.
func (d *Daemon) half() int64 { return int64(d.o.Config.Store.MaxBytes) / 2 }

// makeGPIO gives the pins a broker to publish to.
func (m *maker) makeGPIO() {
	if m.c.GPIO == nil || m.o.NoReceivers {
		return
	}
	if m.keeps("gpio", "") {
		m.parts.gpio, m.parts.publisher, m.parts.pins = m.old.gpio, m.old.publisher, m.old.pins
		return
	}
	var publish gpio.Publish
	if external := m.c.Publisher(); external != nil {
		m.publisher = &publisher{remote.NewPublisher(external, m.log, m.parts.pins), supervise.Part{Name: "gpio publisher"}}
		publish = m.publisher.Publish
	} else {
		publish = m.broker.Publish
	}
	if m.old != nil && m.old.gpio != nil && m.old.c.GPIO.Driver == m.c.GPIO.Driver {
		m.gpio = m.old.gpio.Again(m.c.GPIO, publish, m.log, m.parts.pins)
		return
	}
	m.gpio = gpio.New(m.c.GPIO, publish, m.log, m.parts.pins)
}

// makeStreams makes the streams.
func (m *maker) makeStreams() {
	for _, c := range m.c.Streams {
		if m.keeps("stream", c.Name) {
			m.parts.streams = append(m.parts.streams, m.old.stream(c.Name))
			continue
		}
		s := batches.New(batches.Options{
			Config: c.StreamConfig, Plan: c.Plan, Store: m.store, Log: m.log, Interval: m.c.Batch.Interval.D(), Checkpoint: m.c.Store.Checkpoint.D(),
			Chained: m.c.Chained(c.Name), Unread: len(c.Sinks) == 0,
			Anew:   m.old != nil && m.diff.of("stream", c.Name) == added,
			Report: m.presses.stream(c.Name), Sound: &m.sound,
		})
		made := &stream{Stream: s, part: supervise.Part{Name: "stream " + c.Name}, set: metrics.NewSet()}
		m.streamGauges(made)
		if c.Joined() != "" {
			joinGauges(made)
		}
		m.parts.streams = append(m.parts.streams, made)
	}
}

// makeSinks makes the sinks' writers, the one of the dead letters among them.
func (m *maker) makeSinks() {
	for _, c := range m.c.Sinks {
		if len(c.Streams) == 0 {
			continue
		}
		if m.keeps("sink", c.Name) {
			m.writers = append(m.writers, m.old.writer(c.Name))
			continue
		}
		set := metrics.NewSet()
		env := spec.Env{
			Name: c.Name, Streams: c.Streams, Keys: m.c.Keys(c.Streams), DataDir: m.c.DataDir, Embedded: m.broker != nil,
			Log: m.log, Metrics: set, Stdout: m.o.Stdout, Dial: m.dial,
		}
		o := delivery.Options{Name: c.Name, Sink: c.Config.New(env), Encoding: c.Config.Encoding(), Limits: c.Config.Limits()}
		if c.Common.Backpressure {
			o.Report = m.presses.sink(c.Name, c.Streams)
		}
		for _, s := range m.parts.streams {
			o.Deliveries = append(o.Deliveries, m.deliveries(&c, s)...)
		}
		m.addWriter(o, set)
	}
	m.addDeadLetters()
}

// deliveries are those of a stream to a sink: its rows, those that came too late, and those that are given once more.
func (m *maker) deliveries(k *configs.Sink, s *stream) (out []delivery.DeliverySpec) {
	add := func(log, start string, feed edged.Feed, seldom bool) {
		out = append(out, delivery.DeliverySpec{Stream: log, Feed: feed, Start: start, Seldom: seldom, MaxPending: k.Common.MaxPending.Or(m.half()), WhenFull: k.Common.WhenFull})
	}
	late, again := edged.SideLog(s.Name(), edged.Late), edged.SideLog(s.Name(), edged.Replay)
	takes := slices.Contains(k.Streams, s.Name())
	if takes {
		add(s.Name(), startOf(m.c, s.Name()), s.Feed(), false)
	}
	if slices.Contains(k.Streams, late) {
		add(late, startOf(m.c, s.Name()), batches.SideFeed(m.store, late, k.Name), false)
	}
	if takes {
		add(again, "now", batches.SideFeed(m.store, again, k.Name), true) // what was there before is for other sinks
	}
	return out
}

// blocking are the deliveries that close the gate; a replay closes none, it waits itself.
func (d *Daemon) blocking(c *configs.Config) (out []delivery.Blocking) {
	for _, k := range c.Sinks {
		for _, s := range k.Streams {
			if k.Common.WhenFull == "block" {
				out = append(out, delivery.Blocking{Stream: s, Sink: k.Name, Max: k.Common.MaxPending.Or(d.half())})
			}
		}
	}
	return append(out, delivery.Blocking{Stream: edged.DeadLetters, Sink: edged.DeadLetters, Max: d.half()})
}

func (m *maker) addWriter(o delivery.Options, set *metrics.Set) {
	turnWithin(m.memory, &o)
	o.Store, o.Interval, o.Log, o.Metrics = m.store, m.c.Batch.Interval.D(), m.log, set
	d := m.Daemon
	o.Yields = func(cursor string) bool { return d.now().c.Yields(cursor) }
	w := &writer{Writer: delivery.New(o), part: supervise.Part{Name: "sink " + o.Name}, set: set}
	sinkGauges(w)
	m.writers = append(m.writers, w)
}

func (m *maker) addDeadLetters() {
	if m.keeps("sink", edged.DeadLetters) {
		m.writers = append(m.writers, m.old.writer(edged.DeadLetters))
		return
	}
	set := metrics.NewSet()
	env := spec.Env{Name: edged.DeadLetters, Streams: []string{edged.DeadLetters}, DataDir: m.c.DataDir, Log: m.log, Metrics: set}
	limits, dead := file.Default(), m.c.DeadLetters
	m.addWriter(delivery.Options{
		Name: edged.DeadLetters, Sink: file.NewDeadLetters(dead.Path, int64(dead.MaxBytes), dead.WhenFull, env),
		Encoding: limits.Encoding(), Limits: spec.Limits{Rows: 100, Bytes: 64 << 10},
		Deliveries: []delivery.DeliverySpec{{
			Stream: edged.DeadLetters, Feed: batches.DeadLetterFeed(m.store), Start: "oldest", MaxPending: m.half(), WhenFull: "block",
		}},
	}, set)
}

// takes reports whether a closed stream needs a message, itself or for a stream that it takes from. Every stream may make dead letters.
func (d *Daemon) takes(name, receiver, topic string) bool {
	c := d.now().c
	before := c.Before(edged.StreamOf(name))
	for _, s := range c.Streams {
		if (s.Name == edged.StreamOf(name) || name == edged.DeadLetters || slices.Contains(before, s.Name)) && s.Plan.Takes(receiver, topic) {
			return true
		}
	}
	return false
}

func startOf(c *configs.Config, stream string) string {
	for _, s := range c.Streams {
		if s.Name == stream {
			return s.Start
		}
	}
	return "oldest"
}
