package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"edged/blockstore"
	"edged/internal/human"
)

// printListing writes it for people.
func printListing(out io.Writer, l *blockstore.Listing) error {
	t := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintf(t, "%s: %s, format %d, %s\n", l.File, human.Bytes(l.Bytes), l.Format, l.UUID)
	fmt.Fprint(t, "\nlog\tentries\tfirst\tlast\tsize\theld by\n")
	for _, i := range l.Logs {
		name, held := "results of "+i.Name, i.HeldBy
		if i.Name == "" {
			name = "blocks"
		}
		if held == "" {
			held = "nobody"
		}
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%s\t%s\n", name, i.Entries, i.First, i.Last, human.Bytes(i.Bytes), held)
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
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", c.Name, of, from, human.Bytes(c.Holds))
	}
	fmt.Fprint(t, "\nspace\tvalues\tsize\tdamaged\n")
	for _, s := range l.Spaces {
		fmt.Fprintf(t, "%s\t%d\t%s\t%d\n", s.Name, s.Values, human.Bytes(s.Bytes), s.Damaged)
	}
	for _, n := range l.Notes {
		fmt.Fprintf(t, "\n! %s\n", n.Sentence())
	}
	if l.Damage != "" {
		fmt.Fprintf(t, "\n! the file is damaged: %s\n", l.Damage)
	}
	return t.Flush()
}
