package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"time"

	root "edged"
	"edged/batches"
	"edged/blockstore"
	"edged/configs"
	"edged/internal/conf"
	"edged/internal/daemon"
	"edged/sinks/encode"
)

type tryCmd struct {
	Stream string `required:"" help:"The stream of the configuration. A table that it joins is read from its file, as it is now." placeholder:"NAME"`
	Input  string `required:"" xor:"from" help:"Messages from this file; - is standard input." placeholder:"FILE"`
	Last   string `required:"" xor:"from" help:"Messages of so long a time from the store, such as 10m." placeholder:"DURATION"`
	Format string `enum:"ndjson,lines" default:"ndjson" help:"Of --input: ndjson, as edged store export and the file of a stream without windows have it, or lines, of which each is a payload."`
	Topic  string `help:"Of --format lines: the topic of all of them." placeholder:"TOPIC"`
	Limit  uint64 `help:"Stop after so many rows." placeholder:"N"`
	storeFlags
}

// Validate is called by the parser: what it refuses is a mistake of usage.
func (c *tryCmd) Validate() error {
	switch lines := c.Format == "lines"; {
	case lines && c.Topic == "":
		return errors.New("--format lines needs --topic: the topic that the payloads came on")
	case !lines && c.Topic != "":
		return errors.New("--topic is for --format lines: lines of NDJSON have their own")
	case c.Last != "" && lines:
		return errors.New("--format is for --input")
	case c.Input != "" && (c.File != "" || c.Addr != ""):
		return errors.New("--file and --addr are for --last")
	case c.Last == "":
		return nil
	}
	if d, err := conf.ParseDuration(c.Last); err != nil {
		return fmt.Errorf("--last: %w", err)
	} else if d <= 0 {
		return errors.New("--last: it must be more than nothing")
	}
	return nil
}

// errEnough ends a trial that has given enough rows.
var errEnough = errors.New("enough rows")

// trial runs a stream for the command, and before it those that it takes from.
type trial struct {
	stages  []stage // the stream is the last one
	taken   int     // messages that were given to them
	lines   *lineReader
	damaged int // entries of the store
	w       world
}

// Run implements the command.
func (c *tryCmd) Run(w world) error {
	ctx, stop := interruptible()
	defer stop()
	cfg, err := c.load(w, false)
	if err != nil {
		return err
	}
	s, err := streamOf(cfg, c.Stream)
	if err != nil {
		return err
	}
	now := time.Now()
	var since, until time.Time
	if c.Last != "" {
		d, _ := conf.ParseDuration(c.Last) // Validate has
		since, until = now.Add(-d), now.Add(-cfg.Block.Interval.D()-time.Second)
	}
	given := uint64(0)
	t := trial{lines: newLineReader(cfg.Sources(s.Name)[0], now), w: w}
	_, err = t.begin(cfg, s, since, func(r *root.Rows) (end error) {
		if c.Limit > 0 && given+uint64(r.Len()) >= c.Limit {
			r = r.Slice(0, int(c.Limit-given))
			end = errEnough
		}
		given += uint64(r.Len())
		if _, err := w.out.Write(encode.AppendNDJSON(nil, r)); err != nil {
			return err
		}
		return end
	})
	if err != nil {
		return err
	}
	if c.Last != "" {
		err = c.fromStore(ctx, w, cfg, since, &t)
	} else {
		err = c.fromFile(ctx, &t)
	}
	if err == nil {
		err = t.end(until)
	}
	if err != nil && !errors.Is(err, errEnough) {
		return err
	}
	return t.summary(given)
}

func (c *tryCmd) fromFile(ctx context.Context, t *trial) error {
	in := io.Reader(os.Stdin)
	if c.Input != "-" {
		f, err := os.Open(c.Input)
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	}
	lines, failed := readLines(ctx, in)
	for {
		select {
		case <-ctx.Done(): // interrupted: what came so far is what there is
			return nil
		case line, ok := <-lines:
			if !ok {
				return failed()
			}
			if t.lines.n++; len(line) == 0 {
				continue
			}
			if err := c.line(line, t); err != nil {
				return err
			}
		}
	}
}

func (c *tryCmd) line(line []byte, t *trial) error {
	if c.Topic != "" {
		return t.add(t.lines.plain(c.Topic, line))
	}
	if m, ok := t.lines.stored(line); ok {
		return t.add(m)
	}
	return nil
}

// fromStore reads the store's messages since a time: through the gateway if one runs, else from the file. It reads them block by block, and holds up nobody.
func (c *tryCmd) fromStore(ctx context.Context, w world, cfg *configs.Config, since time.Time, t *trial) error {
	a, _, err := c.open(w)
	if err != nil {
		return err
	}
	put := func(l daemon.StoreLine) error {
		if l.Damage != "" {
			t.damaged++
			fmt.Fprintln(w.err, "edged: not read:", l.Damage)
			return nil
		}
		t.lines.n++
		return c.line(l.Row, t)
	}
	v := url.Values{"from": {since.UTC().Format(time.RFC3339Nano)}}
	if a == nil {
		return c.lines(ctx, w, "/api/store/export?"+v.Encode(), put)
	}
	defer a.Close()
	var q blockstore.Query
	if q, err = daemon.ExportQuery(cfg, v); err != nil {
		return err
	}
	return daemon.ExportLines(ctx, a, q, put)
}

// summary says on standard error what has become of the messages. It is an error if there were none.
func (t *trial) summary(rows uint64) error {
	last := len(t.stages) - 1
	for i, s := range t.stages {
		is, who := s.Tried(), ""
		if last > 0 {
			who = "stream " + s.Name + ": "
		}
		if i < last {
			sayTried(t.w.err, who, &is, "")
		} else {
			sayTried(t.w.err, who, &is, fmt.Sprintf(", %d rows", rows))
		}
	}
	if t.lines.bad > 0 {
		fmt.Fprintf(t.w.err, "edged: lines that are no message: %d, the first one line %d: %v\n", t.lines.bad, t.lines.firstBad, t.lines.why)
	}
	if t.damaged > 0 {
		fmt.Fprintf(t.w.err, "edged: entries of the store that cannot be read: %d\n", t.damaged)
	}
	if t.taken == 0 {
		return errors.New("no message could be read")
	}
	return nil
}

// sayTried says what has become of messages.
func sayTried(out io.Writer, who string, is *batches.Tried, rows string) {
	fmt.Fprintf(out, "edged: %s%d messages read%s; of the messages %d were applied, %d filtered, %d late, %d dead, %d dropped, %d not for this stream\n",
		who, is.Read, rows, is.Applied, is.Filtered, is.Late, is.Dead, is.Dropped, is.Other)
	for _, r := range is.Reasons {
		fmt.Fprintln(out, "edged: dead:", clip(r))
	}
}

// clip keeps a foreign text to a line that can be read.
func clip(s string) string {
	if s = visible(s); len(s) > 300 {
		s = strings.ToValidUTF8(s[:300], "") + "…"
	}
	return s
}
