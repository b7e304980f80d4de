package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"edged/internal/daemon"
)

type statusCmd struct {
	JSON bool `help:"Print the whole status as JSON."`
	endpoint
}

// Run implements the command. A gateway with problems is still a status: the exit code is 0.
func (c *statusCmd) Run(w world) error {
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	res, err := c.get(ctx, w, "/api/status")
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if c.JSON {
		_, err = io.Copy(w.out, res.Body)
		return err
	}
	var s daemon.Status
	if err := json.NewDecoder(res.Body).Decode(&s); err != nil {
		return fmt.Errorf("the gateway's answer cannot be read: %w", err)
	}
	return printStatus(w.out, &s)
}

// printStatus writes the status for people: the ledger's three equations, line by line, and what is wrong in sentences.
func printStatus(out io.Writer, s *daemon.Status) error {
	t := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	p := func(format string, args ...any) { fmt.Fprintf(t, format, args...) }
	p("edged %s: %s, up since %s, store %s of %s\n", s.Version, s.State, s.Started.Local().Format(time.DateTime), size(s.Store.Used), size(s.Store.Max))
	if len(s.Receivers) > 0 {
		p("\nreceiver\tstate\treceived = stored + rejected + in queue\n")
		for _, r := range s.Receivers {
			queue := uint64(r.Waiting)
			p("%s\t%s\t%d = %d + %d + %d\n", r.Name, r.Part.State, r.Stored+r.Status.Rejected+queue, r.Stored, r.Status.Rejected, queue)
		}
	}
	if len(s.Streams) > 0 {
		p("\nstream\tstate\trouted = applied + filtered + dead + late + damaged + dropped + pending\tledger\n")
		for _, r := range s.Streams {
			p("%s\t%s\t%d = %d + %d + %d + %d + %d + %d + %d\t%s\n", r.Stream, r.Part.State, r.Routed, r.Applied, r.Filtered, r.Dead, r.Late, r.Damaged, r.Dropped, r.Pending, balanced(r.Balanced))
		}
	}
	p("\nstream → sink\tstate\tproduced = delivered + dead + dropped + damaged + pending\theld back\tledger\n")
	for _, k := range s.Sinks {
		for _, r := range k.Deliveries {
			p("%s → %s\t%s\t%d = %d + %d + %d + %d + %d\t%s\t%s\n", r.Stream, r.Sink, k.Health.State, r.Produced, r.Delivered, r.Dead, r.Dropped, r.Damaged, r.Pending, size(r.PendingBytes), balanced(r.Balanced))
		}
	}
	for _, pin := range s.Pins {
		value := "-"
		if pin.Value != nil {
			value = fmt.Sprint(*pin.Value)
		}
		p("\npin %s (%s): %s, seq %d, dropped %d %s", pin.Name, pin.Line, value, pin.Seq, pin.Dropped, pin.LastError)
	}
	if len(s.Pins) > 0 {
		p("\n")
	}
	if len(s.Problems) == 0 {
		p("\nnothing is wrong\n")
	}
	for _, problem := range s.Problems {
		p("\n! %s", problem)
	}
	if len(s.Problems) > 0 {
		p("\n")
	}
	return t.Flush()
}

func balanced(ok bool) string {
	if ok {
		return "balanced"
	}
	return "DOES NOT BALANCE"
}

// size writes bytes in the unit that is short to read.
func size(n int64) string {
	for _, u := range []struct {
		n    int64
		name string
	}{{1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}} {
		if n >= u.n {
			return fmt.Sprintf("%.1f %s", float64(n)/float64(u.n), u.name)
		}
	}
	return fmt.Sprintf("%d B", n)
}
