package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"path/filepath"

	"edged/blockstore"
	"edged/configs"
	"edged/internal/daemon"
	"edged/internal/human"

	"github.com/VictoriaMetrics/metrics"
)

type storeForgetCmd struct {
	Name string `arg:"" help:"A stream, a sink, a cursor as status names it, session/CLIENT_ID, or note/TIME."`
	endpoint
}

// Run implements the command: by the gateway if one runs, else in the file.
func (c *storeForgetCmd) Run(w world) error {
	ctx, stop := interruptible()
	defer stop()
	if c.Addr != "" {
		return c.ask(ctx, w)
	}
	cfg, err := c.load(w, false)
	if err != nil {
		return err
	}
	a, err := blockstore.OpenArchive(filepath.Join(cfg.DataDir, blockstore.FileName))
	switch {
	case errors.Is(err, blockstore.ErrInUse), errors.Is(err, fs.ErrPermission) && cfg.HTTP.Listen != "":
		return c.ask(ctx, w)
	case err != nil:
		return fmt.Errorf("there is no store in %s that can be opened: %w%s", cfg.DataDir, err, sudo())
	}
	sound := a.Sound()
	a.Close()
	if !sound {
		return errors.New("the store is damaged; start edged first, which salvages it")
	}
	said, err := forgetIn(ctx, cfg, c.Name)
	fmt.Fprint(w.out, said)
	return err
}

func (c *storeForgetCmd) ask(ctx context.Context, w world) error {
	g, err := c.reach(w)
	if err != nil {
		return err
	}
	res, err := g.ask(ctx, http.MethodPost, "/api/store/forget?name="+url.QueryEscape(c.Name))
	if err != nil {
		return err
	}
	defer res.Body.Close()
	_, err = io.Copy(w.out, res.Body)
	return err
}

type storeSalvageCmd struct {
	From string `arg:"" help:"The file to read." type:"path"`
	To   string `arg:"" help:"The file to make; it must not exist." type:"path"`
}

// Run implements the command.
func (c *storeSalvageCmd) Run(w world) error {
	n, err := blockstore.Salvage(c.From, c.To)
	if err != nil {
		return err
	}
	fmt.Fprintf(w.out, "%s: %d log entries, %d cursors, %d values; %d entries cannot be read, %d numbers are missing\n", c.To, n.Entries, n.Cursors, n.Values, n.BadEntries, n.MissingEntries)
	return nil
}

type storeCompactCmd struct{ configFlag }

// Run implements the command.
func (c *storeCompactCmd) Run(w world) error {
	cfg, err := c.load(w, false)
	if err != nil {
		return err
	}
	before, after, err := blockstore.Compact(cfg.DataDir)
	switch {
	case errors.Is(err, blockstore.ErrInUse):
		return fmt.Errorf("the store is in use: stop the gateway first (systemctl stop edged); a running one uses the free pages of its file again by itself")
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no store in %s", cfg.DataDir)
	case err != nil:
		return err
	}
	fmt.Fprintf(w.out, "%s: %s, was %s\n", filepath.Join(cfg.DataDir, blockstore.FileName), human.Bytes(after), human.Bytes(before))
	return nil
}

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
