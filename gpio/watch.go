package gpio

import (
	"context"
	"time"
)

// slice bounds each wait for an edge, so that the end of ctx is noticed: nothing interrupts a wait reliably (gpioioctl
// forgets a Halt before the first wait).
const slice = 250 * time.Millisecond

// watch reports changes. With edge = "both", which describes a state, it begins with the present one: the line may have
// changed while nobody looked. Rising and falling edges are events, and only events are reported.
func (p *pin) watch(ctx context.Context, l line) error {
	now := time.Now()
	value, err := p.read(l, now)
	if err != nil {
		return err
	}
	if p.cfg.Edge == "both" {
		p.due(value, noEdge, now)
	}
	d := debounce{quiet: p.cfg.Debounce.D(), value: value}
	for ctx.Err() == nil {
		wait := slice
		if left, pending := d.left(time.Now()); pending {
			wait = min(slice, left)
		}
		value, changed, err := l.Wait(wait)
		if err != nil {
			return err
		}
		now := time.Now()
		p.settle(&d, now) // first: an edge that comes after a quiet time begins a new change
		if changed {
			d.saw(p.logical(value), now)
			p.settle(&d, now)
		}
	}
	return nil
}

func (p *pin) settle(d *debounce, now time.Time) {
	c, counts, bounces := d.settle(now)
	p.countBounces(bounces)
	if counts && (p.cfg.Edge == "both" || p.cfg.Edge == c.edge.String()) {
		p.due(c.value, c.edge, c.at)
	}
}

func (p *pin) countBounces(n uint64) {
	if n == 0 {
		return
	}
	p.bounces.AddInt64(int64(n))
	p.mu.Lock()
	p.bounced += n
	p.mu.Unlock()
}
