package chardev

import (
	"fmt"
	"slices"
	"strings"

	"edged/internal/conf"

	"periph.io/x/host/v3/gpioioctl"
)

// chip is a chip with its lines by name, in the order of their numbers; lines without a name are "".
type chip struct {
	name, label string
	lines       []string
}

func known(chips []*gpioioctl.GPIOChip) []chip {
	var out []chip
	for _, c := range chips {
		k := chip{name: c.Name(), label: c.Label()}
		for _, line := range c.Lines() {
			k.lines = append(k.lines, line.Name())
		}
		out = append(out, k)
	}
	return out
}

// find returns the index of the first chip that has a line of that name.
func find(chips []chip, name string) (int, error) {
	var names, where []string
	for i, c := range chips {
		if slices.Contains(c.lines, name) {
			return i, nil
		}
		names = append(names, c.lines...)
		where = append(where, fmt.Sprintf("%s (%s, %d lines)", c.name, c.label, len(c.lines)))
	}
	return 0, fmt.Errorf("no line is named %q on %s%s; gpioinfo (package gpiod) lists the names", name, strings.Join(where, ", "), conf.Suggest(name, names))
}
