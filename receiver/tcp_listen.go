package receiver

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"edged"
	"edged/internal/guard"
)

// listener is a receiver that serves those who connect.
type listener tcp

// Run implements edged.Receiver. Lines of one connection keep their order; what ends a connection ends no other.
func (l *listener) Run(ctx context.Context, h edged.Handler) error {
	r := (*tcp)(l)
	var lc net.ListenConfig
	in, err := lc.Listen(ctx, "tcp", r.Listen)
	if err != nil {
		return fmt.Errorf("listening for lines: %w", err)
	}
	in = guard.Limit(in, int64(r.MaxConnections), func(from net.Addr) {
		r.met.refused.Inc()
		r.say.Say(slog.LevelWarn, "a connection was refused: there are max_connections already", "receiver", r.name, "peer", from.String(), "max_connections", r.MaxConnections)
	})
	defer context.AfterFunc(ctx, func() { in.Close() })()
	var wg sync.WaitGroup
	defer wg.Wait()
	defer in.Close()
	r.log.Info("listening for lines", "receiver", r.name, "address", in.Addr().String())
	if r.listening != nil {
		r.listening(in.Addr())
	}
	for {
		c, err := in.Accept()
		switch {
		case ctx.Err() != nil:
			if err == nil {
				c.Close()
			}
			return nil
		case err != nil: // too many open files, or a peer that has gone again: those that are served go on
			r.say.Say(slog.LevelWarn, "a connection could not be accepted; edged goes on listening", "receiver", r.name, "error", err)
			select {
			case <-ctx.Done():
			case <-time.After(100 * time.Millisecond):
			}
			continue
		}
		wg.Go(func() {
			if err := r.serve(ctx, c, h); err != nil {
				r.say.Say(slog.LevelWarn, "a connection has ended with an error", "receiver", r.name, "error", err)
			}
		})
	}
}
