// Command page writes docs/sizing.md: make sizing.
package main

import (
	"embed"
	"fmt"
	"os"
	"strings"

	"edged/configs"
	"edged/configs/sizing"
)

//go:embed setups
var setups embed.FS

// setup is a gateway of the page.
type setup struct {
	name, title string
	flags       string // as typed
	ask         sizing.Ask
}

const free = 24e9 // of a card of 32 GB, behind the system

var all = []setup{
	{"pump-house", "Pump house: 10 pins on change", "", sizing.Ask{QoS: 1}},
	{"greenhouse", "Greenhouse: 50 sensors once a second", "--rate 50/s --topics 50", sizing.Ask{Rates: []string{"50/s"}, Topics: 50, QoS: 1}},
	{"workshop", "Workshop: 20 machines, together 100 messages a second", "--rate 100/s --topics 100", sizing.Ask{Rates: []string{"100/s"}, Topics: 100, QoS: 1}},
	{"weather-station", "Weather station: 8 values a minute over a bad link", "--rate 8/min --topics 8 --bytes 6", sizing.Ask{Rates: []string{"8/min"}, Topics: 8, Bytes: 6, QoS: 1}},
	{"test-bench", "Test bench: 5,000 messages a second", "--rate 5000/s --topics 50 --free 400GB --card-tbw 300", sizing.Ask{Rates: []string{"5000/s"}, Topics: 50, QoS: 1, Free: 400e9, TBW: 300}},
}

func main() {
	text, err := page()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Stdout.WriteString(text)
}

const head = `# Sizing

How much a gateway writes, how long its store lasts when the link is down, and how long its card lives, for five typical set-ups. The page is made by ` + "`make sizing`" + `
from the files in configs/sizing/page/setups; it is arithmetic over measured constants ([ADR 22](adr/0022-sizing.md)), held against a real store by a test. Nothing was tried on a Pi or on a real card.

For a gateway of your own:

    edged size --rate 50/s --topics 50 /etc/edged/edged.toml

`

const foot = `## Your own

- **Messages.** ` + "`--rate 50/s`, or by topics and as often as needed: `--rate 'site/+/gpio/+=50/s' --rate 'site/+/alarm=2/h'`" + `. Pins come from the configuration; ` + "`--pins 6/min`" + ` says how often they change.
- **Payloads and topics.** ` + "`--bytes 66 --topics 50`" + `: a topic counts as a group of a stream that has group_by.
- **The disk.** What is free where data_dir is, or ` + "`--free 24GB`; `--sync 20ms`" + ` is what a commit takes it.
- **The card.** ` + "`--card-tbw 40`" + `, if its maker says how many TB can be written to it. The figure that is assumed without it stands in the output.
- ` + "`--json`" + ` prints the same figures for programs.
- When the gateway runs, ` + "`edged status`" + ` shows what it really writes a day.
`

func page() (string, error) {
	var table, rest strings.Builder
	table.WriteString("| | messages | written to the store a day | and by files | acknowledged after | link away | card | disk | memory |\n|---|---|---|---|---|---|---|---|---|\n")
	for _, s := range all {
		file := "setups/" + s.name + ".toml"
		text, err := setups.ReadFile(file)
		if err != nil {
			return "", err
		}
		c, problems, _ := configs.Load(file, text)
		for _, p := range problems {
			if c == nil && !p.Place {
				return "", fmt.Errorf("%v", p)
			}
		}
		if c == nil {
			return "", fmt.Errorf("%s cannot be loaded here: %v", file, problems)
		}
		if s.ask.Free == 0 {
			s.ask.Free, s.flags = free, strings.TrimSpace(s.flags+" --free 24GB")
		}
		r, err := sizing.Make(c, s.ask)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&table, "| %s | %s |\n", s.title, strings.Join(r.Cells(), " | "))
		var out strings.Builder
		if err := r.Write(&out); err != nil {
			return "", err
		}
		fmt.Fprintf(&rest, "## %s\n\n    $ edged size %s configs/sizing/page/%s\n%s\n", s.title, s.flags, file, indent(out.String()))
	}
	return head + table.String() + "\n" + rest.String() + foot, nil
}

func indent(text string) string {
	var b strings.Builder
	for _, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		b.WriteString(strings.TrimRight("    "+line, " ") + "\n")
	}
	return b.String()
}
