package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"edged/internal/daemon"
	"edged/internal/human"
)

type replayCmd struct {
	Stream string   `required:"" help:"The stream of the configuration." placeholder:"NAME"`
	From   string   `required:"" help:"Messages that arrived from this time on, such as 2026-01-02T15:04:05Z, or so long ago, such as 10m; what was delivered is stored for store.keep." placeholder:"TIME"`
	To     string   `help:"Up to this time, or so long ago; else up to the last message." placeholder:"TIME"`
	Sink   []string `help:"Only to these of the stream's sinks; else to all of them, also those that have had the rows. The rows say \"replay\": true." placeholder:"SINK"`
	DryRun bool     `help:"Say what would be given, and give nothing."`
	endpoint
}

// Validate is called by the parser: what it refuses is a mistake of usage.
func (c *replayCmd) Validate() error {
	for flag, text := range map[string]string{"--from": c.From, "--to": c.To} {
		if _, err := daemon.Moment(text, time.Now()); err != nil && text != "" {
			return fmt.Errorf("%s: %w", flag, err)
		}
	}
	return nil
}

// Run implements the command: what was done goes to standard output, how it went to standard error.
func (c *replayCmd) Run(w world) error {
	ctx, stop := interruptible()
	defer stop()
	g, err := c.reach(w)
	if err != nil {
		return err
	}
	g.client.Transport.(*http.Transport).ResponseHeaderTimeout = time.Minute // it looks for the first block that is stored
	v := url.Values{"stream": {c.Stream}, "from": {c.From}, "to": {c.To}, "sink": c.Sink}
	if c.DryRun {
		v.Set("dry", "yes")
	}
	res, err := g.ask(ctx, http.MethodPost, "/api/replay?"+v.Encode())
	if err != nil {
		return err
	}
	defer res.Body.Close()
	var did daemon.Replayed
	waits := ""
	err = readAnswer(ctx, res.Body, func(l daemon.StoreLine) error {
		did = daemon.Replayed{}
		if err := json.Unmarshal(l.Row, &did); err != nil {
			return fmt.Errorf("the gateway's answer cannot be read: %w", err)
		}
		if did.Waits != "" && did.Waits != waits {
			fmt.Fprintln(w.err, "edged: waiting for", did.Waits)
		}
		waits = did.Waits
		return nil
	})
	c.say(w, &did, err != nil)
	if err != nil && ctx.Err() != nil {
		err = errors.New("it was interrupted")
	}
	if err != nil {
		return fmt.Errorf("the replay has ended early: %w; what was given stays, and comes again, under other keys, if it is repeated", err)
	}
	return nil
}

// say says what was done. early: it has not come to its end.
func (c *replayCmd) say(w world, did *daemon.Replayed, early bool) {
	if did.First.IsZero() {
		return // it has not begun
	}
	stamp := func(at time.Time) string { return at.UTC().Format(time.RFC3339) }
	fmt.Fprintf(w.err, "edged: messages of stream %s are stored from %s to %s\n", c.Stream, stamp(did.First), stamp(did.Last))
	if did.Missed {
		fmt.Fprintln(w.err, "edged: what arrived before that is not stored any more; a window that it had a part in says partial")
	}
	if did.Damaged > 0 {
		fmt.Fprintf(w.err, "edged: entries of the store that cannot be read: %d\n", did.Damaged)
	}
	sayTried(w.err, "", &did.Tried, fmt.Sprintf(", %d rows", did.Rows))
	verb := "go to "
	switch {
	case c.DryRun:
		verb = "would go to "
	case early:
		verb = "went to "
	}
	what := fmt.Sprintf("%s of stream %s %s%s", human.Plural(did.Given, "row", "rows"), c.Stream, verb, strings.Join(did.Sinks, ", "))
	if did.Read > 0 {
		what += fmt.Sprintf(", of messages that arrived from %s to %s", stamp(did.From), stamp(did.At))
	}
	fmt.Fprintln(w.out, what)
}
