package daemon

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"time"

	"edged/configs"
)

// exchangeWithin is how long parts may take to stop at a reload: a sink, a stream and a receiver each wait for a commit or two, of which
// one may last commitLimit.
const exchangeWithin = 3 * time.Minute

// exchange takes a configuration into use: it stops what ends in the direction of the data, and starts what begins against it
// (docs/adr/0016-reload.md). Receivers whose place another takes stop last: publishers wait for that. After an error some may have stopped: the gateway must end.
func (d *Daemon) exchange(ctx context.Context, next *configs.Config, diff *difference, sum [sha256.Size]byte) (err error) {
	old := d.now()
	ctx, cancel := context.WithTimeout(ctx, d.patience)
	defer cancel()
	defer func() {
		if err != nil {
			for _, o := range d.doors {
				o.turn(nil) // nobody waits any more for what does not come
			}
		}
	}()
	if !diff.moves() {
		d.use(d.makeParts(next, old, diff), sum)
		return nil
	}
	own := old.input(sessions)
	for _, c := range diff.changes {
		if o := d.doors[c.name]; o != nil && c.kind == "receiver" && c.verb == removed {
			d.close(c.name, own)
		}
	}
	for _, s := range []struct {
		of    *phase
		kind  string
		verbs []verb
	}{
		{d.pins, "gpio", []verb{removed, changed}},
		{d.receivers, "receiver", []verb{removed}},
		{d.streams, "stream", []verb{removed, changed, restarted}},
		{d.sinks, "sink", []verb{removed, changed, restarted}},
	} {
		names := diff.names(s.kind, s.verbs...)
		if err := d.stop(ctx, s.of, names); err != nil {
			return err
		}
		for _, name := range names {
			d.presses.forget(name)
		}
	}
	if diff.of("gpio", "").stops() {
		if err := d.stop(ctx, d.outlets, []string{"gpio publisher"}); err != nil {
			return err
		}
	}
	in := diff.names("receiver", changed, restarted)
	for name, o := range d.doors {
		if slices.Contains(in, "receiver "+name) {
			o.hold()
		}
	}
	if err := d.stop(ctx, d.receivers, in); err != nil {
		return err
	}
	p := d.makeParts(next, old, diff)
	d.gate.Change(d.blocking(next), p.known)
	if err := d.store.Rewire(ctx, d.wiring(p)); err != nil {
		return fmt.Errorf("the store does not take the change: %w", err)
	}
	d.use(p, sum)
	d.begin(p, old)
	for name, o := range d.doors {
		if o.isHeld() { // it is no receiver of the embedded broker any more
			d.close(name, own)
		}
	}
	return nil
}

// use has the parts, which are of a text, be those that everybody asks.
func (d *Daemon) use(p *parts, sum [sha256.Size]byte) {
	p.sum, p.loaded = sum, time.Now()
	d.inUse.Store(p)
}

// begin starts what is new.
func (d *Daemon) begin(p, old *parts) {
	for _, w := range p.writers {
		if old.writer(w.Name()) != w {
			d.startSink(w)
		}
	}
	for _, s := range p.streams {
		if old.stream(s.Name()) != s {
			d.startStream(s)
		}
	}
	for _, in := range p.inputs {
		if old.input(in.name) != in {
			d.startReceiver(in)
		}
	}
	if p.gpio != old.gpio {
		d.startPins(p)
	}
}

// stop stops parts of a phase. What they end with is said: whatever comes next goes on from what is stored.
func (d *Daemon) stop(ctx context.Context, of *phase, names []string) error {
	return of.stop(ctx, names, func(name string, err error) {
		d.log.Warn("a part ended with an error when it was stopped for the changed configuration; what it had stored stays", "part", name, "error", err)
	})
}

// close takes a receiver's door away from the broker. A message that still comes through it goes to the broker's own source: it was to
// be acknowledged, and a session may read it there.
func (d *Daemon) close(name string, own *input) {
	o := d.doors[name]
	o.detach()
	o.turn(own.Generator)
	delete(d.doors, name)
}

// moves reports whether any part stops or starts.
func (d *difference) moves() bool {
	return slices.ContainsFunc(d.changes, func(c change) bool { return c.stops() || c.starts() })
}

// names are the parts of a kind with one of these verbs, as their phase knows them.
func (d *difference) names(kind string, verbs ...verb) (out []string) {
	for _, c := range d.changes {
		if c.kind != kind || !slices.Contains(verbs, c.verb) {
			continue
		}
		name := kind
		if c.name != "" {
			name += " " + c.name
		}
		out = append(out, name)
	}
	return out
}
