package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"edged/internal/daemon"
	"edged/internal/human"
)

type statusCmd struct {
	JSON bool `help:"Print the whole status as JSON."`
	endpoint
}

// Run implements the command. A gateway with problems is still a status: the exit code is 0.
func (c *statusCmd) Run(w world) error {
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	if c.JSON {
		out, err := c.stream(ctx, w, "/api/status")
		if err != nil {
			return err
		}
		defer out.Close()
		_, err = io.Copy(w.out, out)
		return err
	}
	var s daemon.Status
	if err := c.getJSON(ctx, w, "/api/status", &s); err != nil {
		return err
	}
	return printStatus(w.out, &s, time.Now())
}

// printStatus writes the status for people: the ledger's three equations, line by line, and what is wrong in sentences.
func printStatus(out io.Writer, s *daemon.Status, now time.Time) error {
	t := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	p := func(format string, args ...any) { fmt.Fprintf(t, format, args...) }
	loaded := ""
	if !s.Loaded.IsZero() {
		loaded = ", configuration of " + human.Time(s.Loaded, now)
	}
	p("edged %s: %s, up since %s%s\n", s.Version, s.State, human.Time(s.Started, now), loaded)
	printStore(p, s)
	if b := s.Broker; b != nil {
		p("broker: %s, %s kept, %s retained; %s received, %s refused, %s QoS 0 dropped; %s sent, %s not delivered\n",
			human.Plural(b.Clients, "client", "clients"), human.Plural(b.Sessions, "session", "sessions"), human.Count(b.Retained),
			human.Count(b.Received), human.Count(b.Refused), human.Count(b.Dropped), human.Count(b.Sent), human.Count(b.NotDelivered))
	}
	printLedger(p, s)
	printPins(p, s)
	if len(s.Problems) == 0 {
		p("\nnothing is wrong\n")
	}
	for _, problem := range s.Problems {
		p("\n! %s\n", printable(problem))
	}
	for _, note := range s.Notes {
		p("\n· %s\n", printable(note))
	}
	return t.Flush()
}

func printPins(p func(string, ...any), s *daemon.Status) {
	if len(s.Pins) > 0 {
		p("\npin\tline\tstate\tvalue\tdue = published + dropped + in queue\n")
	}
	for _, pin := range s.Pins {
		value := "-"
		if pin.Value != nil {
			value = fmt.Sprint(*pin.Value)
		}
		p("%s\t%s\t%s\t%s\t%s\n", pin.Name, pin.Line, pin.State, value, equation(int64(pin.Seq), int64(pin.Readings), int64(pin.Dropped), int64(pin.Seq-pin.Readings-pin.Dropped)))
	}
	if o := s.Publisher; o != nil {
		state := o.Part.State
		if state == "running" && !o.Link.Connected {
			state = "not connected"
		}
		p("\npins to\tstate\ttaken = acknowledged + dropped + waiting\n%s\t%s\t%s\n", o.Link.Broker, state, equation(int64(o.Taken), int64(o.Published), int64(o.Dropped), int64(o.Waiting)))
	}
}
