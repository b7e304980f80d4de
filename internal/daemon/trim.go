package daemon

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// After a burst the runtime keeps memory for minutes: for its next collection, which comes only when something is allocated, and
// because what came once may come again. On a small computer others want it. Memory is given back once it is quiet.
const (
	trimEvery = 5 * time.Second
	trimAbove = 24 << 20 // bytes that the runtime holds
	trimQuiet = 4 << 20  // bytes allocated since the last look: less is quiet
	trimAgain = 16 << 20 // bytes allocated since the last trim: less is not worth another one
)

// trim looks every so often, and gives memory back when it is quiet, until ctx ends.
func trim(ctx context.Context, every time.Duration) error {
	s := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}, {Name: "/gc/heap/allocs:bytes"}}
	t := time.NewTicker(every)
	defer t.Stop()
	var last, trimmed uint64
	for {
		select {
		case <-t.C:
		case <-ctx.Done():
			return nil
		}
		metrics.Read(s)
		held, allocated := s[0].Value.Uint64()-s[1].Value.Uint64(), s[2].Value.Uint64()
		if held > trimAbove && allocated-last < trimQuiet && allocated-trimmed > trimAgain {
			debug.FreeOSMemory()
			trimmed = allocated
		}
		last = allocated
	}
}
