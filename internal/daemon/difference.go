package daemon

import (
	"fmt"
	"reflect"
	"slices"

	"edged"
	"edged/configs"
	"edged/internal/conf"
)

// verb is what becomes of a part at a reload.
type verb uint8

const (
	same      verb = iota
	added          // it is new
	removed        // it is not configured any more
	changed        // its table is another
	restarted      // its table is the same, and what it works with is not
	told           // its table is another, and it need not stop for that
)

var verbs = [...]string{"unchanged", "new", "removed", "changed", "restarted", "changed"}

// stops reports whether the part that runs has to end, starts whether one is begun.
func (v verb) stops() bool  { return v == removed || v == changed || v == restarted }
func (v verb) starts() bool { return v == added || v == changed || v == restarted }

// partOf is a part: its kind is receiver, stream, sink or gpio.
type partOf struct{ kind, name string }

func (p partOf) String() string {
	switch {
	case p.name == edged.DeadLetters:
		return "dead_letters"
	case p.name == "":
		return p.kind
	}
	return p.kind + " " + p.name
}

// change is what becomes of one part, and why if its table does not say so.
type change struct {
	partOf
	verb
	why string
}

// difference is what lies between two configurations.
type difference struct {
	restart []string // keys that changed and that only a restart can change
	changes []change // of every part of both, in the order of the new configuration; removed ones last
	live    []string // keys that changed and that belong to no part
}

func (d *difference) of(kind, name string) verb {
	for _, c := range d.changes {
		if c.kind == kind && c.name == name {
			return c.verb
		}
	}
	return same
}

func (d *difference) note(kind, name string, v verb, why string) {
	d.changes = append(d.changes, change{partOf{kind, name}, v, why})
}

// differ finds the difference. stopped says which parts have stopped for good: a reload gives them another chance.
func differ(old, next *configs.Config, stopped func(partOf) bool) *difference {
	d := &difference{restart: onlyRestart(old, next)}
	d.live = live(old, next)
	written := func(title string) verb {
		was, knew := old.Written[title]
		is, knows := next.Written[title]
		switch {
		case !knew && knows:
			return added
		case was != is:
			return changed
		}
		return same
	}
	again := func(kind, name string, v verb) (verb, string) {
		if v == same && stopped(partOf{kind, name}) {
			return restarted, "it had stopped"
		}
		return v, ""
	}
	d.pins(old, next, written)
	for _, r := range next.Receivers {
		v, why := again("receiver", r.Name, written("receiver."+r.Name))
		d.note("receiver", r.Name, v, why)
	}
	every := ""
	if old.Batch.Interval != next.Batch.Interval {
		every = "batch.interval"
	}
	d.streams(old, next, every, func(name string) (verb, string) { return again("stream", name, written("stream."+name)) })
	for _, k := range next.Sinks {
		v, why := again("sink", k.Name, written("sink."+k.Name))
		was := slices.IndexFunc(old.Sinks, func(o configs.Sink) bool { return o.Name == k.Name })
		switch {
		case v != same:
		case !slices.Equal(slices.Sorted(slices.Values(old.Sinks[was].Streams)), slices.Sorted(slices.Values(k.Streams))):
			v, why = changed, "its streams"
		case every != "":
			v, why = restarted, every
		default:
			for _, s := range k.Streams {
				if s = edged.StreamOf(s); d.of("stream", s).starts() {
					v, why = restarted, "stream "+s
					break
				}
			}
		}
		d.note("sink", k.Name, v, why)
	}
	v, why := again("sink", edged.DeadLetters, written("dead_letters"))
	if v == same && every != "" {
		v, why = restarted, every
	}
	d.note("sink", edged.DeadLetters, v, why)
	d.gone(old, next)
	return d
}

func (d *difference) pins(old, next *configs.Config, written func(string) verb) {
	switch {
	case old.GPIO == nil && next.GPIO == nil:
	case old.GPIO == nil:
		d.note("gpio", "", added, "")
	case next.GPIO == nil:
		d.note("gpio", "", removed, "")
	default:
		d.note("gpio", "", written("gpio"), "")
	}
}

// streams notes the streams; one whose source is begun anew is, too.
func (d *difference) streams(old, next *configs.Config, every string, written func(name string) (verb, string)) {
	first := len(d.changes)
	for _, s := range next.Streams {
		v, why := written(s.Name)
		was := slices.IndexFunc(old.Streams, func(o configs.Stream) bool { return o.Name == s.Name })
		switch {
		case v != same:
		case every != "":
			v, why = restarted, every
		case old.Chained(s.Name) != next.Chained(s.Name):
			v, why = restarted, "streams that take from it"
		case (len(old.Streams[was].Sinks) == 0) != (len(s.Sinks) == 0):
			v, why = restarted, "its sinks"
		case !slices.Equal(slices.Sorted(slices.Values(old.Streams[was].Sinks)), slices.Sorted(slices.Values(s.Sinks))):
			v, why = told, "its sinks"
		case old.Streams[was].Start != s.Start:
			v, why = told, "start"
		}
		d.note("stream", s.Name, v, why)
	}
	for more := true; more; {
		more = false
		for i, s := range next.Streams {
			c := &d.changes[first+i]
			for _, from := range s.Sources() {
				if (c.verb == same || c.verb == told) && slices.Contains(next.Takers(from), s.Name) && d.of("stream", from).starts() {
					c.verb, c.why, more = restarted, "stream "+from, true
				}
			}
		}
	}
}

// gone notes what is not configured any more.
func (d *difference) gone(old, next *configs.Config) {
	for _, r := range old.Receivers {
		if !slices.ContainsFunc(next.Receivers, func(n configs.Receiver) bool { return n.Name == r.Name }) {
			d.note("receiver", r.Name, removed, "")
		}
	}
	for _, s := range old.Streams {
		if !slices.ContainsFunc(next.Streams, func(n configs.Stream) bool { return n.Name == s.Name }) {
			d.note("stream", s.Name, removed, "")
		}
	}
	for _, k := range old.Sinks {
		if !slices.ContainsFunc(next.Sinks, func(n configs.Sink) bool { return n.Name == k.Name }) {
			d.note("sink", k.Name, removed, "")
		}
	}
}

// onlyRestart are the keys that differ and that only a restart can change (docs/adr/0016-reload.md).
func onlyRestart(old, next *configs.Config) (keys []string) {
	table := func(name string, a, b any) {
		for _, k := range conf.Differences(a, b) {
			keys = append(keys, name+"."+k)
		}
	}
	if old.DataDir != next.DataDir {
		keys = append(keys, "data_dir")
	}
	if old.Log.Format != next.Log.Format {
		keys = append(keys, "log.format")
	}
	table("http", old.HTTP, next.HTTP)
	switch n := len(keys); {
	case (old.Broker == nil) != (next.Broker == nil):
		keys = append(keys, "[broker]")
	case old.Broker != nil:
		was := *old.Broker
		was.Dir = next.Broker.Dir                                                                              // data_dir's
		if table("broker", old.Broker, next.Broker); len(keys) == n && !reflect.DeepEqual(&was, next.Broker) { // a limit that was written at its default
			keys = append(keys, "[broker]")
		}
	}
	table("block", old.Block, next.Block)
	table("store", old.Store, next.Store)
	if g := next.GPIO; g != nil && g.Driver == "periph" && (old.GPIO == nil || old.GPIO.Driver != g.Driver) {
		keys = append(keys, "gpio.driver")
	}
	for _, r := range next.Receivers {
		for _, o := range old.Receivers {
			if o.Name == r.Name && o.Common.Storage != r.Common.Storage {
				keys = append(keys, fmt.Sprintf("receiver.%s.storage", r.Name))
			}
		}
	}
	return keys
}

// live are the keys that belong to no part, with their new values.
func live(old, next *configs.Config) (keys []string) {
	if old.Log.Level != next.Log.Level {
		keys = append(keys, "log.level: "+next.Log.Level)
	}
	if old.MemoryLimit != next.MemoryLimit {
		keys = append(keys, "memory_limit: "+next.MemoryLimit.String())
	}
	return keys
}
