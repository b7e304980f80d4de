// Package headroom says how far the heap may grow before it is collected, by what lives in it.
//
// Left alone (GOGC=100) the collector comes when as much was allocated as lives: a process of which 30 MiB live takes 80. A fixed limit (GOMEMLIMIT) has it
// come earlier, but one that what lives comes close to has it come all the time, up to half of the processor's time; and what is given back to the system
// meanwhile is to be had from it again, page by page. So GOGC follows what lives:
//
//   - while little lives it is 100;
//   - from half of the usual size on, the heap stays at the usual size, but what may be allocated never falls below half of what lives;
//   - where much more lives than is usual, the collector would have much to do each time, and little is saved: GOGC goes back to 100, and memory_limit is
//     the bound, as it is without this package.
//
// So the collector comes twice as often as it would by itself, at worst, and only while what lives is about the usual size (TestTheCollectorIsNotDriven).
package headroom

import (
	"context"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
)

// Keep sets GOGC after each collection until ctx ends, and then gives it its old value. usual is the heap's usual size, in bytes. Where GOGC is set in the
// environment, Keep only waits. One at a time in a process.
func Keep(ctx context.Context, usual int64) error {
	if os.Getenv("GOGC") == "" {
		k := &keeper{usual: usual}
		defer debug.SetGCPercent(debug.SetGCPercent(100))
		defer k.end()
		runtime.SetFinalizer(&sentinel{k}, collected)
	}
	<-ctx.Done()
	return nil
}

type keeper struct {
	usual int64

	mu    sync.Mutex
	ended bool
}

func (k *keeper) end() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.ended = true
}

// sentinel is garbage all its life: its finalizer runs behind each collection.
type sentinel struct{ k *keeper }

func collected(s *sentinel) {
	s.k.mu.Lock()
	defer s.k.mu.Unlock()
	if s.k.ended {
		return
	}
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	debug.SetGCPercent(percent(s.k.usual, int64(live[0].Value.Uint64())))
	runtime.SetFinalizer(s, collected)
}

// percent is GOGC for so many bytes that live.
func percent(usual, live int64) int {
	if live <= 0 {
		return 100
	}
	room := min(live, max(usual-live, live/2, 2*(live-usual)))
	return int(100 * room / live)
}
