package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"edged/internal/daemon"
)

type runCmd struct {
	configFlag
	NoReceivers bool `help:"Deliver what is stored, and take nothing in."`
}

// Run implements the command.
func (r *runCmd) Run(w world) error {
	signals := catchSignals()
	file, text, err := r.read()
	if err != nil {
		return err
	}
	cfg, err := parse(w, file, text, false)
	if err != nil {
		return err
	}
	log, level := newLogger(cfg.Log, w.err)
	o := daemon.Options{Config: cfg, Text: text, Read: daemon.ReadFile(file), Log: log, Level: level, NoReceivers: r.NoReceivers}
	return serve(o, w, signals, func(d *daemon.Daemon) {
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

// caught are the signals that a gateway takes over.
type caught struct {
	stop    chan os.Signal // SIGTERM, SIGINT
	hangups chan os.Signal // SIGHUP: read the configuration and your files again
}

// catchSignals takes the signals over. It is the first thing that a gateway does: each would end the process, and one that comes during
// the start waits in its channel.
func catchSignals() caught {
	c := caught{make(chan os.Signal, 4), make(chan os.Signal, 1)}
	signal.Notify(c.stop, syscall.SIGTERM, syscall.SIGINT)
	signal.Notify(c.hangups, syscall.SIGHUP)
	return c
}

// serve runs a gateway until SIGTERM or SIGINT, which may come while it starts; a second one ends the process at once: what was acknowledged
// is on disk. Each SIGHUP has it read its configuration and its files again.
func serve(o daemon.Options, w world, signals caught, ready func(*daemon.Daemon)) error {
	if !o.Config.HTTP.PProf {
		runtime.MemProfileRate = 0 // what http.pprof can show is not gathered for nobody
	}
	log := o.Log
	began := time.Now()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ended := make(chan struct{})
	defer close(ended)
	go stop(cancel, signals.stop, ended, log)
	o.Stdout, o.Version = w.out, version()
	d, err := daemon.New(o)
	if err != nil {
		return err
	}
	go reload(d, signals.hangups, ended)
	go d.Watch(ctx)
	err = d.Run(ctx, func() {
		log.Debug("started", "in", time.Since(began))
		if ctx.Err() == nil {
			ready(d)
		}
	})
	if err != nil {
		return fmt.Errorf("stopped with an error: %w", err)
	}
	return nil
}

// stop cancels at the first signal and ends the process at the second, until ended is closed.
func stop(cancel func(), signals <-chan os.Signal, ended <-chan struct{}, log *slog.Logger) {
	for stopping := false; ; stopping = true {
		select {
		case <-ended:
			return
		case <-signals:
		}
		if stopping {
			log.Warn("a second signal: edged ends at once; what was acknowledged is on disk")
			os.Exit(exitFailure)
		}
		daemon.NotifyStopping()
		cancel()
	}
}

// reload has the gateway read its configuration and its files again at each hangup, until ended is closed.
func reload(d *daemon.Daemon, hangups <-chan os.Signal, ended <-chan struct{}) {
	for {
		select {
		case <-ended:
			return
		case <-hangups:
			d.Reload()
		}
	}
}
