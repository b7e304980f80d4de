package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"edged/blockstore"
	"edged/configs"
	"edged/internal/daemon"
)

type storeCmd struct {
	Ls      storeLsCmd      `cmd:"" help:"List what is in the store: logs, who holds them, cursors, values."`
	Verify  storeVerifyCmd  `cmd:"" help:"Check every page and every checksum. Prints a line for each damage; exit code 1 if there is one."`
	Export  storeExportCmd  `cmd:"" help:"Print messages or results as NDJSON."`
	Forget  storeForgetCmd  `cmd:"" help:"Give up what a removed stream or sink, or a session at an external broker, still holds; or a note of damage."`
	Salvage storeSalvageCmd `cmd:"" help:"Copy what can be read of a store's file, damaged or not, into a new one. The file is not changed."`
	Compact storeCompactCmd `cmd:"" help:"Copy the store into a file of the size that it needs. Only while the gateway is stopped."`
}

// storeFlags say which store. A running gateway is asked; the file is read if none has it open, and needs no configuration if it is
// named.
type storeFlags struct {
	endpoint
	File string `help:"Read this file instead of the store of the configuration: one that was set aside, or a copy." type:"path" placeholder:"FILE"`
}

// open opens the file; nil if a gateway has it open, or only a gateway may read it.
func (f storeFlags) open(w world) (*blockstore.Archive, *configs.Config, error) {
	if f.File != "" {
		a, err := blockstore.OpenArchive(f.File)
		return a, nil, err
	}
	if f.Addr != "" {
		return nil, nil, nil
	}
	c, err := f.load(w, false)
	if err != nil {
		return nil, nil, err
	}
	a, err := blockstore.OpenArchive(filepath.Join(c.DataDir, blockstore.FileName))
	switch {
	case errors.Is(err, blockstore.ErrInUse), errors.Is(err, fs.ErrPermission) && c.HTTP.Listen != "":
		return nil, c, nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, c, fmt.Errorf("there is no store in %s", c.DataDir)
	case err != nil:
		return nil, c, fmt.Errorf("the store cannot be read: %w%s", err, sudo())
	}
	return a, c, nil
}

func interruptible() (context.Context, context.CancelFunc) {
	return signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
}

// lines asks the gateway for an answer that is made as it goes, and calls each for its lines. One that was cut off is an error.
func (f storeFlags) lines(ctx context.Context, w world, path string, each func(daemon.StoreLine) error) error {
	body, err := f.stream(ctx, w, path)
	if err != nil {
		return err
	}
	defer body.Close()
	return readAnswer(ctx, body, each)
}

// readAnswer calls each for the lines of an answer that is made as it goes. One that was cut off is an error.
func readAnswer(ctx context.Context, body io.Reader, each func(daemon.StoreLine) error) error {
	in := json.NewDecoder(bufio.NewReaderSize(body, 64<<10))
	for {
		var l daemon.StoreLine
		switch err := in.Decode(&l); {
		case err != nil && ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			return fmt.Errorf("the gateway's answer was cut off: %w", err)
		case l.Error != "":
			return errors.New(l.Error)
		case l.End:
			return nil
		}
		if err := each(l); err != nil {
			return err
		}
	}
}

type storeLsCmd struct {
	JSON bool `help:"Print the list as JSON."`
	storeFlags
}

// Run implements the command.
func (c *storeLsCmd) Run(w world) error {
	ctx, stop := interruptible()
	defer stop()
	a, _, err := c.open(w)
	if err != nil {
		return err
	}
	var l blockstore.Listing
	if a != nil {
		defer a.Close()
		l = a.List()
	} else if err := c.getJSON(ctx, w, "/api/store/ls", &l); err != nil {
		return err
	}
	if c.JSON {
		enc := json.NewEncoder(w.out)
		enc.SetIndent("", "  ")
		return enc.Encode(l)
	}
	return printListing(w.out, &l)
}

type storeVerifyCmd struct{ storeFlags }

// Run implements the command.
func (c *storeVerifyCmd) Run(w world) error {
	ctx, stop := interruptible()
	defer stop()
	a, _, err := c.open(w)
	if err != nil {
		return err
	}
	found := 0
	say := func(damage string) {
		found++
		fmt.Fprintln(w.out, damage)
	}
	if a != nil {
		defer a.Close()
		err = a.Verify(ctx, say)
	} else {
		err = c.lines(ctx, w, "/api/store/verify", func(l daemon.StoreLine) error { say(l.Damage); return nil })
	}
	switch {
	case err != nil:
		return err
	case found > 0:
		fmt.Fprintf(w.err, "edged: the store has %d damages; edged starts all the same: it delivers what can be read, and status names what cannot\n", found)
		return errSaid
	}
	fmt.Fprintln(w.out, "ok")
	return nil
}

type storeExportCmd struct {
	Stream string `help:"What this stream took: its messages, or its results if it has windows." placeholder:"NAME"`
	Topic  string `help:"Messages of this topic filter only." placeholder:"FILTER"`
	From   string `help:"From this time on, such as 2026-01-02T15:04:05Z." placeholder:"TIME"`
	To     string `help:"Up to this time." placeholder:"TIME"`
	storeFlags
}

// Run implements the command.
func (c *storeExportCmd) Run(w world) error {
	ctx, stop := interruptible()
	defer stop()
	a, cfg, err := c.open(w)
	if err != nil {
		return err
	}
	v := url.Values{"stream": {c.Stream}, "topic": {c.Topic}, "from": {c.From}, "to": {c.To}}
	out, damaged := bufio.NewWriterSize(w.out, 64<<10), 0
	put := func(l daemon.StoreLine) error {
		if l.Damage != "" {
			damaged++
			fmt.Fprintln(w.err, "edged: not exported:", l.Damage)
			return nil
		}
		_, err := out.Write(append(l.Row, '\n'))
		return err
	}
	if a == nil {
		err = c.lines(ctx, w, "/api/store/export?"+v.Encode(), put)
	} else {
		defer a.Close()
		var q blockstore.Query
		if q, err = daemon.ExportQuery(cfg, v); err == nil {
			err = daemon.ExportLines(ctx, a, q, put)
		}
	}
	err = errors.Join(err, out.Flush())
	if err == nil && damaged > 0 {
		return errSaid
	}
	return err
}
