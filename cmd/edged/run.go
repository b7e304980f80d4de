package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"edged/configs"
	"edged/internal/daemon"
)

type runCmd struct {
	configFlag
	NoReceivers bool `help:"Deliver what is stored, and take nothing in."`
}

// Run implements the command.
func (r *runCmd) Run(w world) error {
	hangups := catchHangups()
	cfg, err := r.load(w, false)
	if err != nil {
		return err
	}
	log := newLogger(cfg.Log, w.err)
	return serve(cfg, log, w, hangups, r.NoReceivers, func(d *daemon.Daemon) {
		daemon.NotifyReady()
		log.Info("edged is ready", "version", version(), "config", cfg.File, "data_dir", cfg.DataDir, "broker", addrs(d), "http", d.HTTPAddr())
	})
}

func addrs(d *daemon.Daemon) (out []string) {
	for _, a := range d.Addrs() {
		out = append(out, a.String())
	}
	return out
}

// catchHangups takes SIGHUP over. It is the first thing that a gateway does: the signal would end the process, and means
// "read your files again" to whoever sends it. One that comes during the start waits in the channel.
func catchHangups() <-chan os.Signal {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGHUP)
	return c
}

// serve runs a gateway until SIGTERM or SIGINT; each of hangups has it read its files again. A second one ends the process at once: what was acknowledged is on disk.
func serve(cfg *configs.Config, log *slog.Logger, w world, hangups <-chan os.Signal, noReceivers bool, ready func(*daemon.Daemon)) error {
	began := time.Now()
	d, err := daemon.New(daemon.Options{Config: cfg, Log: log, Stdout: w.out, NoReceivers: noReceivers, Version: version()})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	defer signal.Stop(signals)
	go handle(ctx, cancel, signals, hangups, d.Reload, log)
	go d.Watch(ctx)
	err = d.Run(ctx, func() {
		log.Debug("started", "in", time.Since(began))
		ready(d)
	})
	if err != nil {
		return fmt.Errorf("stopped with an error: %w", err)
	}
	return nil
}

func handle(ctx context.Context, cancel func(), signals, hangups <-chan os.Signal, reload func(), log *slog.Logger) {
	for stopping := false; ; {
		select {
		case <-ctx.Done():
			if !stopping {
				return
			}
			ctx = context.Background()
		case <-hangups:
			reload()
		case <-signals:
			if stopping {
				log.Warn("a second signal: edged ends at once; what was acknowledged is on disk")
				os.Exit(exitFailure)
			}
			stopping = true
			daemon.NotifyStopping()
			cancel()
		}
	}
}
