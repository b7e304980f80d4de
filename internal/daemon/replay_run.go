package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"edged"
	"edged/batches"
)

// run does it. The last line that it puts says what it has done, also after an error.
func (p *replay) run(ctx context.Context) error {
	p.d.log.Info("rows of a stream are given once more, because somebody asked for it (edged replay)", "stream", p.c.Name, "from", p.o.From, "to", p.o.To, "sinks", p.o.Sinks, "dry", p.o.Dry)
	err := p.tell()
	if err == nil {
		err = p.open(ctx)
	}
	if err == nil {
		p.did.Replayed, err = batches.Replay(ctx, p.o)
	}
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		if err = errors.New("it was interrupted"); p.d.state.Load() != started {
			err = errStopping
		}
	}
	p.d.log.Info("edged replay has ended", "stream", p.c.Name, "messages", p.did.Read, "rows", p.did.Given, "error", err)
	p.did.Waits = ""
	_ = p.tell() // the reader has gone
	return err
}

// open has the deliveries hold the side log before there is anything in it.
func (p *replay) open(ctx context.Context) error {
	if p.o.Dry {
		return nil
	}
	if err := batches.OpenReplays(ctx, p.d.store, p.c.Name); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, p.d.now().c.Batch.Interval.D()+openWithin, errors.New("it does not open the delivery of what is replayed: look at edged status"))
	defer cancel()
	for _, k := range p.sinks {
		for {
			if c, ok := p.d.store.Cursor(edged.DeliveryCursor(p.log, k.Name)); ok && !c.Lost {
				break
			}
			if err := p.hold(ctx, "sink "+k.Name+" to begin"); err != nil {
				if cause := context.Cause(ctx); !errors.Is(cause, err) {
					err = fmt.Errorf("sink %s: %w", k.Name, cause)
				}
				return err
			}
		}
	}
	return nil
}

// openWithin is how long a sink may take to open a delivery: longer than one that fails pauses.
const openWithin = 2 * time.Minute

// wait waits until there is room for further rows.
func (p *replay) wait(ctx context.Context) error {
	for {
		if p.d.now().stream(p.c.Name) != p.s {
			return fmt.Errorf("stream %s was changed by a reload", p.c.Name)
		}
		if err := p.again(); err != nil {
			return err
		}
		why := p.held()
		if why == "" {
			return ctx.Err()
		}
		if err := p.hold(ctx, why); err != nil {
			return err
		}
	}
}

// again looks at the sinks as a reload may have left them.
func (p *replay) again() error {
	sinks, err := sinksNamed(p.d.now().c, p.c.Name, p.o.Sinks)
	if err != nil {
		return fmt.Errorf("a reload has changed its sinks: %w", err)
	}
	p.sinks = sinks
	return nil
}

// held is what there is to wait for; "" if nothing.
func (p *replay) held() string {
	if p.d.store.Short() {
		return "room in the store"
	}
	for _, k := range p.sinks {
		if c, ok := p.d.store.Cursor(edged.DeliveryCursor(p.log, k.Name)); ok && p.d.store.Pending(c.Log, c.Need) >= p.behind(k) {
			return "sink " + k.Name + ", which is behind"
		}
	}
	return ""
}

// hold waits a moment, and says for what.
func (p *replay) hold(ctx context.Context, why string) error {
	if p.did.Waits != why {
		p.did.Waits, p.said = why, time.Time{}
	}
	p.sayNow()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(100 * time.Millisecond):
		return nil
	}
}

// say notes how far it is.
func (p *replay) say(r batches.Replayed) {
	p.did.Replayed, p.did.Waits = r, ""
	p.sayNow()
}

// sayNow tells it, once a second.
func (p *replay) sayNow() {
	if time.Since(p.said) >= time.Second {
		_ = p.tell() // a reader who has gone is noticed by its context
	}
}

func (p *replay) tell() error {
	p.said = time.Now()
	text, err := json.Marshal(&p.did)
	if err != nil {
		return err
	}
	return p.put(StoreLine{Row: text})
}
