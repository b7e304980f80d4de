package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"text/tabwriter"

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

func printListing(out io.Writer, l *blockstore.Listing) error {
	t := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintf(t, "%s: %s, format %d, %s\n", l.File, size(l.Bytes), l.Format, l.UUID)
	fmt.Fprint(t, "\nlog\tentries\tfirst\tlast\tsize\theld by\n")
	for _, i := range l.Logs {
		name, held := "results of "+i.Name, i.HeldBy
		if i.Name == "" {
			name = "blocks"
		}
		if held == "" {
			held = "nobody"
		}
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%s\t%s\n", name, i.Entries, i.First, i.Last, size(i.Bytes), held)
	}
	fmt.Fprint(t, "\ncursor\tof\tneeds from\tholds back\n")
	for _, c := range l.Cursors {
		of, from := "results of "+c.Log, fmt.Sprint(c.From)
		if c.Log == "" {
			of = "blocks"
		}
		if c.From == 0 {
			of, from = "-", "-"
		}
		if c.Lost {
			from += " (lost)"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", c.Name, of, from, size(c.Holds))
	}
	fmt.Fprint(t, "\nspace\tvalues\tsize\tdamaged\n")
	for _, s := range l.Spaces {
		fmt.Fprintf(t, "%s\t%d\t%s\t%d\n", s.Name, s.Values, size(s.Bytes), s.Damaged)
	}
	for _, n := range l.Notes {
		fmt.Fprintf(t, "\n! %s\n", n.Sentence())
	}
	if l.Damage != "" {
		fmt.Fprintf(t, "\n! the file is damaged: %s\n", l.Damage)
	}
	return t.Flush()
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
	fmt.Fprintf(w.out, "%s: %s, was %s\n", filepath.Join(cfg.DataDir, blockstore.FileName), size(after), size(before))
	return nil
}
