package main

import (
	"context"
	"log/slog"

	"edged/blockstore"
	"edged/configs"
	"edged/internal/daemon"

	"github.com/VictoriaMetrics/metrics"
)

// forgetIn forgets something in the store of a gateway that is stopped.
func forgetIn(ctx context.Context, cfg *configs.Config, name string) (said string, err error) {
	s, err := blockstore.Open(cfg.DataDir, cfg.Store, slog.New(slog.DiscardHandler), metrics.NewSet())
	if err != nil {
		return "", err
	}
	run, stop := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- s.Run(run) }()
	said, err = daemon.ForgetIn(ctx, s, daemon.Known(cfg), cfg, name)
	stop()
	for _, e := range []error{<-ran, s.Close()} {
		if err == nil {
			err = e
		}
	}
	return said, err
}
