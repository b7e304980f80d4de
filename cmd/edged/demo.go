package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"

	"edged/configs"
	"edged/internal/daemon"
)

type demoCmd struct {
	DataDir string `help:"Where the demonstration keeps its store and files." default:"edged-data" placeholder:"DIR" type:"path"`
}

// Run implements the command.
func (c *demoCmd) Run(w world) error {
	signals := catchSignals()
	broker, http := freePort(w, "1883", "the broker"), freePort(w, "8080", "health and status")
	text := strings.NewReplacer("{{data_dir}}", c.DataDir, "{{broker}}", broker, "{{http}}", http).Replace(configs.Demo)
	cfg, problems, _ := configs.Load("demo", []byte(text))
	for _, p := range problems {
		fmt.Fprintln(w.err, p)
	}
	if len(problems) > 0 {
		return errSaid
	}
	log, _ := newLogger(cfg.Log, w.err)
	return serve(daemon.Options{Config: cfg, Log: log}, w, signals, func(d *daemon.Daemon) {
		port := strings.TrimPrefix(broker, "127.0.0.1:")
		here := func(name string) string { return shorten(filepath.Join(cfg.DataDir, name)) }
		fmt.Fprintf(w.err, `
edged demo: three simulated pins, windows of two seconds; Ctrl-C ends it.

  every message           %s
  windows, also below     %s
  how it is               %s status --addr %s
  what the broker sees    %s tail --addr %s 'site/#'

Publish a reading of your own; its window appears below, for device "me":

  mosquitto_pub -p %s -q 1 -t site/me/gpio/lamp -m '{"value":21.5}'

`, here("raw.ndjson"), here("windows.ndjson"), os.Args[0], http, os.Args[0], http, port)
	})
}

// freePort returns the loopback address with the wanted port, or with a free one, with a word about it.
func freePort(w world, port, what string) string {
	l, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		if l, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			return "127.0.0.1:" + port // the start will say what is wrong
		}
		fmt.Fprintf(w.err, "port %s is taken, so %s uses %d\n", port, what, l.Addr().(*net.TCPAddr).Port)
	}
	defer l.Close()
	return l.Addr().String()
}

// shorten writes a path relative to the working directory, if that is shorter.
func shorten(path string) string {
	if wd, err := os.Getwd(); err == nil {
		if rel, err := filepath.Rel(wd, path); err == nil && len(rel) < len(path) {
			return rel
		}
	}
	return path
}
