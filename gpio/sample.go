package gpio

import (
	"context"
	"errors"
	"time"
)

var errLate = errors.New("the computer was too busy, or stopped, when the pin was to be sampled")

// sample reports the value at every interval, counted from the start, so that a late sample does not shift the ones
// after it. Samples that are late by a whole interval are not made up for; they are counted as missed.
func (p *pin) sample(ctx context.Context, l line) error {
	interval := p.cfg.Interval.D()
	start := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for n := time.Duration(0); ; {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		if late := time.Since(start)/interval - n; late > 0 {
			p.missed(uint64(late))
			n += late
		}
		value, err := p.read(l, start.Add(n*interval))
		if err != nil {
			return err
		}
		p.due(value, noEdge, time.Now())
		n++
		timer.Reset(time.Until(start.Add(n * interval)))
	}
}
