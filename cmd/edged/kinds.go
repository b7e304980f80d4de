package main

import (
	"fmt"
	"text/tabwriter"

	"edged/configs"
)

type kindsCmd struct{}

// Run implements the command.
func (kindsCmd) Run(w world) error {
	t := tabwriter.NewWriter(w.out, 0, 4, 2, ' ', 0)
	for i, l := range configs.Lists() {
		if i > 0 {
			fmt.Fprintln(t)
		}
		fmt.Fprintf(t, "%s\n", l.Title)
		for _, k := range l.Kinds {
			fmt.Fprintf(t, "  %s\t%s\n", k.Name, k.Doc)
		}
	}
	return t.Flush()
}
