package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"edged/broker"
)

type clientsCmd struct {
	JSON bool `help:"Print everything that is known of them, as JSON."`
	endpoint
}

// Run implements the command.
func (c *clientsCmd) Run(w world) error {
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	var clients []broker.Client
	if err := c.getJSON(ctx, w, "/api/clients", &clients); err != nil {
		return err
	}
	if c.JSON {
		enc := json.NewEncoder(w.out)
		enc.SetIndent("", "  ")
		return enc.Encode(clients)
	}
	return printClients(w.out, clients, time.Now())
}

// printClients writes a line for each client, and names those who use one identifier together.
func printClients(out io.Writer, clients []broker.Client, now time.Time) error {
	if len(clients) == 0 {
		_, err := fmt.Fprintln(out, "no clients")
		return err
	}
	t := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "client\tuser\tfrom\tmqtt\tstate\treceived\t/s\tsent\t/s\twaiting\tdropped\ttakeovers")
	for _, c := range clients {
		state := "connected for "
		if !c.Connected {
			state = "away for "
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%d\t%.1f\t%d\t%.1f\t%d\t%d\t%d\n", printable(c.ID), cmp.Or(printable(c.User), "-"), cmp.Or(c.Address, "-"), cmp.Or(c.Version, "-"),
			state+age(now.Sub(c.Since)), c.Received, c.ReceivedRate, c.Sent, c.SentRate, c.Queued+c.Unacked, c.Dropped, c.Takeovers)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, c := range clients {
		if c.Takeovers >= 3 {
			fmt.Fprintf(out, "\n%s was taken over %d times, last by %s from %s: if these are two devices, give each a client identifier of its own\n",
				printable(c.ID), c.Takeovers, c.Rivals[1], c.Rivals[0])
		}
	}
	return nil
}

// printable shows what a client has chosen as its name without letting it write to the terminal.
func printable(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 }) {
		return fmt.Sprintf("%q", s)
	}
	return s
}

func age(d time.Duration) string {
	switch {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%d days", int(d.Hours()/24))
	case d >= 2*time.Hour:
		return fmt.Sprintf("%d hours", int(d.Hours()))
	case d >= 2*time.Minute:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	}
	return fmt.Sprintf("%d s", max(0, int(d.Seconds())))
}
