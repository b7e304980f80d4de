package main

import (
	"context"
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
	return printStatus(w.out, &s)
}

// printStatus writes the status for people: the ledger's three equations, line by line, and what is wrong in sentences.
func printStatus(out io.Writer, s *daemon.Status) error {
	t := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	p := func(format string, args ...any) { fmt.Fprintf(t, format, args...) }
	p("edged %s: %s, up since %s\n", s.Version, s.State, s.Started.Local().Format(time.DateTime))
	printStore(p, s)
	if b := s.Broker; b != nil {
		p("broker: %d clients, %d sessions kept, %d retained; %d received, %d refused, %d QoS 0 dropped; %d sent, %d not delivered\n",
			b.Clients, b.Sessions, b.Retained, b.Received, b.Refused, b.Dropped, b.Sent, b.NotDelivered)
	}
	printLedger(p, s)
	if len(s.Pins) > 0 {
		p("\npin\tline\tstate\tvalue\tdue = published + dropped + in queue\n")
	}
	for _, pin := range s.Pins {
		value := "-"
		if pin.Value != nil {
			value = fmt.Sprint(*pin.Value)
		}
		p("%s\t%s\t%s\t%s\t%d = %d + %d + %d\n", pin.Name, pin.Line, pin.State, value, pin.Seq, pin.Readings, pin.Dropped, pin.Seq-pin.Readings-pin.Dropped)
	}
	if len(s.Problems) == 0 {
		p("\nnothing is wrong\n")
	}
	for _, problem := range s.Problems {
		p("\n! %s\n", problem)
	}
	return t.Flush()
}

func printStore(p func(string, ...any), s *daemon.Status) {
	p("store: %s of %s", size(s.Store.Used), size(s.Store.Max))
	if !s.Store.Trusted {
		p("; the clock is not synchronised")
	}
	p("\n")
	p("written to the card: %s since the start", size(int64(s.Store.Written)))
	if lately := s.Store.Lately; lately.Seconds >= 60 {
		p("; %s a day at the rate of the last %v, with %.1f commits a second", size(int64(lately.BytesPerDay)), lastly(lately.Seconds), lately.CommitsPerSecond)
		if lately.PerStored > 0 {
			p(" and %.1f bytes written for each byte of messages", lately.PerStored)
		}
	}
	p("\n")
	switch b := s.Store.Budget; {
	case b.Left == -1 && !b.Spent:
		p("early acknowledgements: without a budget\n")
	case b.Spent:
		p("early acknowledgements: the write budget of %s is spent; until some is saved up again, a message that comes alone is acknowledged within %v, those of publishers that wait with many at once\n", b.Rate, b.Cadence)
	default:
		p("early acknowledgements: %s are left of the write budget, which grows by %s\n", size(b.Left), b.Rate)
	}
}

// lastly says how long the last figures cover, in minutes.
func lastly(seconds float64) string {
	if m := int(seconds / 60); m < 60 {
		return fmt.Sprintf("%d min", m)
	}
	return "hour"
}

func printLedger(p func(string, ...any), s *daemon.Status) {
	if len(s.Receivers) > 0 {
		p("\nreceiver\tstate\treceived = stored + rejected + in queue\tledger\n")
	}
	for _, r := range s.Receivers {
		state := r.Part.State
		if r.Link != nil && !r.Link.Connected && state == "running" {
			state = "not connected"
		}
		p("%s\t%s\t%d = %d + %d + %d\t%s\n", r.Name, state, r.Received, r.Stored, r.Rejected, r.InQueue, balanced(r.Balanced))
	}
	if len(s.Streams) > 0 {
		p("\nstream\tstate\trouted = applied + filtered + dead + late + damaged + dropped + pending\tledger\n")
	}
	for _, r := range s.Streams {
		p("%s\t%s\t%d = %d + %d + %d + %d + %d + %d + %d\t%s\n", r.Stream, r.Part.State, r.Routed, r.Applied, r.Filtered, r.Dead, r.Late, r.Damaged, r.Dropped, r.Pending, balanced(r.Balanced))
	}
	p("\nstream → sink\tstate\tproduced = delivered + dead + dropped + damaged + pending\theld back\tledger\n")
	for _, k := range s.Sinks {
		for _, r := range k.Deliveries {
			p("%s → %s\t%s\t%d = %d + %d + %d + %d + %d\t%s\t%s\n", r.Stream, r.Sink, k.Health.State, r.Produced, r.Delivered, r.Dead, r.Dropped, r.Damaged, r.Pending, size(r.PendingBytes), balanced(r.Balanced))
		}
	}
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
