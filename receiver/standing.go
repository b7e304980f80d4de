package receiver

import "time"

// A publisher with stillMany unacknowledged messages that has sent nothing for stillAfter waits for us: it gets an early
// commit even when the write budget is spent. Mosquitto sends 20 messages and then waits; a lone reading does not. One that sends at a pace is
// silent between two messages anyway: it stands still only after stillGaps of its own gaps. A few messages that come within stillTogether are one: the broker may have
// read them together. Who sends stillMany at once has no pace. Who waits for nothing but what is being stored needs no other commit.
const (
	stillMany     = 10
	stillAfter    = 3 * time.Millisecond
	stillGaps     = 3
	stillTogether = time.Millisecond
)

// paced notes when a message came.
func (w *waiter) paced(wall int64) {
	gap := max(0, wall-w.last)
	switch {
	case w.unacked == 1:
		w.together = 1
	case gap < int64(stillTogether):
		if w.together++; w.together >= stillMany {
			w.gap = 0
		}
	default:
		w.together = 1
		w.gap += (gap - w.gap) / 4
	}
	w.last = wall
}

// silence is how long it may be silent without standing still, in nanoseconds.
func (w *waiter) silence() int64 { return max(int64(stillAfter), stillGaps*w.gap) }

// mayStand is called with each message of a waiter. The first one in a block with which it may stand still has Run look when it would, and the one with which it has no pace any more.
// The lock is held.
func (g *Generator) mayStand(w *waiter) {
	sooner := w.block != g.begun || w.unacked == stillMany || w.together == stillMany
	w.block = g.begun
	if w.patient || w.unacked < stillMany || !sooner {
		return
	}
	if at := w.last + w.silence(); g.look == 0 || at < g.look {
		g.look = at
		g.poke()
	}
}

// untilLook is how long until Run is to look whether somebody stands still; false if nobody can.
func (g *Generator) untilLook() (time.Duration, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return max(0, time.Duration(g.look-g.o.Clock.Now().Wall)), g.look != 0
}

// hurryForStanding hurries the store if a publisher stands still, and sees to when to look again: not before the first of those that may.
func (g *Generator) hurryForStanding() {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.o.Clock.Now().Wall
	g.look = 0
	for _, w := range g.waits.of {
		if w.unacked < stillMany || w.patient || w.block <= g.handed {
			continue
		}
		left := min(w.silence()-(now-w.last), w.silence()) // no more, when the clock was set back
		if left <= 0 {
			g.o.Store.Hurry()
			left = int64(stillAfter) // a commit that comes to nothing is asked for again
		}
		if at := now + left; g.look == 0 || at < g.look {
			g.look = at
		}
	}
}
