package batches

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"edged"
	"edged/batches/window"
	"edged/internal/conf"
)

// maxOpen bounds the sliding windows that a row belongs to where each of them shows itself early.
const maxOpen = 100

// windows checks what goes with the kind of window only.
func (b *builder) windows(c *StreamConfig) {
	p := b.p
	p.early, p.expire = int64(c.EmitEvery), int64(c.Expire)
	if p.early != 0 {
		if err := checkEarly(p.window, c.EmitEvery); err != nil {
			b.fail("", "emit_every", err)
		}
	}
	switch {
	case p.expire == 0:
	case p.window.Kind != window.Running:
		b.fail("", "expire", errors.New(`it is for window = "running"; what other windows hold ends with them`))
	case p.expire < int64(time.Millisecond):
		b.fail("", "expire", errors.New("it must be at least 1ms"))
	}
}

func checkEarly(w window.Spec, every conf.Duration) error {
	switch {
	case !slices.Contains([]window.Kind{window.Tumbling, window.Sliding, window.Session, window.Running}, w.Kind):
		return errors.New("it is for tumbling, sliding, session and running windows")
	case every.D() < time.Millisecond:
		return errors.New("it must be at least 1ms")
	case w.OnGrid() && int64(every) >= w.Size:
		return errors.New("it must be shorter than the window, else there is nothing to give early")
	case w.OnGrid() && w.Size/w.Every > maxOpen:
		return fmt.Errorf("%d windows are open at once, and each would give results early; %d are allowed: choose a longer step, or give up emit_every", w.Size/w.Every, maxOpen)
	}
	return nil
}

// signNames are the columns that a result has besides its group and what is computed.
func (p *Plan) signNames() []string {
	if p.early > 0 {
		return []string{"epoch", "clock_trusted", "revision", "partial"}
	}
	return []string{"epoch", "clock_trusted", "partial"}
}

// before reports whether what began at a time lies before an instant; on event time the instant's epoch says nothing.
func (p *Plan) before(epoch uint32, at int64, o edged.Instant) bool {
	if p.time.field != nil {
		return at < o.Wall
	}
	return edged.Instant{Epoch: epoch, Wall: at}.Before(o)
}
