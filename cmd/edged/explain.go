package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	root "edged"
	"edged/batches"
	"edged/configs"
	"edged/internal/conf"
	"edged/internal/human"
)

type explainCmd struct {
	Name string `arg:"" optional:"" help:"The stream. Without it: all of them, a line each."`
	JSON bool   `help:"Print it as JSON."`
	configFlag
}

// explained is what is said of a stream.
type explained struct {
	*batches.Explanation
	Sinks  []explainedSink `json:"sinks"`
	Takers []string        `json:"takers,omitempty"` // streams that take from it
	Late   string          `json:"late,omitempty"`   // the sink of the rows that came too late
}

type explainedSink struct {
	Name       string `json:"name"`
	Type       string `json:"type"`
	Encoding   string `json:"encoding"`
	Rows       int    `json:"rows"`  // in one delivery, at most
	Bytes      int64  `json:"bytes"` // likewise, about
	AgeNs      int64  `json:"age_ns"`
	MaxPending string `json:"max_pending"`
	WhenFull   string `json:"when_full"`
}

// Run implements the command.
func (c *explainCmd) Run(w world) error {
	cfg, err := c.load(w, false)
	if err != nil {
		return err
	}
	streams := cfg.Streams
	if c.Name != "" {
		s, err := streamOf(cfg, c.Name)
		if err != nil {
			return err
		}
		streams = []configs.Stream{s}
	}
	all := make([]explained, len(streams))
	for i, s := range streams {
		all[i] = explained{s.Plan.Explain(), sinksOf(cfg, s.Name), cfg.Takers(s.Name), s.Late}
	}
	switch {
	case c.JSON:
		enc := json.NewEncoder(w.out)
		enc.SetIndent("", "  ")
		enc.SetEscapeHTML(false)
		if c.Name != "" {
			return enc.Encode(all[0])
		}
		return enc.Encode(all)
	case c.Name == "":
		return printStreams(w.out, all)
	}
	return printStream(w.out, cfg, &all[0])
}

// streamOf finds a stream of the configuration.
func streamOf(cfg *configs.Config, name string) (configs.Stream, error) {
	var names []string
	for _, s := range cfg.Streams {
		if s.Name == name {
			return s, nil
		}
		names = append(names, s.Name)
	}
	return configs.Stream{}, fmt.Errorf("there is no [stream.%s] in %s%s", name, cfg.File, conf.Suggest(name, names))
}

func sinksOf(cfg *configs.Config, stream string) (out []explainedSink) {
	for _, s := range cfg.Sinks {
		if slices.Contains(s.Streams, stream) {
			l := s.Config.Limits()
			out = append(out, explainedSink{
				s.Name, s.Common.Type, s.Config.Encoding(), l.Rows, l.Bytes, l.Age.Nanoseconds(), s.Common.MaxPending.String(), s.Common.WhenFull,
			})
		}
	}
	return out
}

func printStreams(out io.Writer, all []explained) error {
	t := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "STREAM\tFROM\tTOPICS\tDECODE\tWINDOW\tSINKS")
	for _, x := range all {
		window := "-"
		for _, s := range x.Steps {
			if s.Key == "window" {
				window = s.Text
			}
		}
		var sinks []string
		for _, s := range x.Sinks {
			sinks = append(sinks, s.Name)
		}
		list := func(l []string, none string) string { return cmp.Or(strings.Join(l, ","), none) }
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", x.Stream, list(x.From, "-"), list(x.Topics, "all"), x.Decode, window, list(sinks, "-"))
	}
	return t.Flush()
}

func printStream(out io.Writer, cfg *configs.Config, x *explained) error {
	var b strings.Builder
	fmt.Fprintf(&b, "stream %s, definition %s\n", x.Stream, x.Definition)
	last := ""
	line := func(key, format string, args ...any) {
		label := key
		if key == last {
			label = ""
		}
		last = key
		fmt.Fprintf(&b, "  %-11s %s\n", label, fmt.Sprintf(format, args...))
	}
	for _, name := range x.From {
		line("from", "%s", sourceInWords(cfg, name))
	}
	if len(x.Topics) == 0 {
		line("topics", "all")
	} else {
		line("topics", "%s", strings.Join(x.Topics, ", "))
	}
	line("decode", "%s  (%s)", x.Decode, x.Payloads)
	for _, r := range x.Reads {
		line("reads", "%s, %s: %s", r.Column, r.Type, strings.Join(r.In, ", "))
	}
	if len(x.Reads) == 0 {
		line("reads", "no column of the payload")
	}
	for _, words := range x.Time {
		line("time", "%s", words)
	}
	for _, s := range x.Steps {
		text := s.Text
		if s.Name != "" {
			text = s.Name + " = " + text
		}
		if s.Note != "" {
			text += "  (" + s.Note + ")"
		}
		line(s.Key, "%s", text)
	}
	line("state", "%s", boundInWords(x.State))
	line("output", "%s", strings.Join(x.Output, ", "))
	for _, s := range x.Sinks {
		line("sink", "%s", sinkInWords(s))
	}
	for _, name := range x.Takers {
		line("taken by", "stream %s: each row is stored as a message for it", name)
	}
	if x.Late != "" {
		line("late", "rows that come too late go to %s, as stream %s", x.Late, root.SideLog(x.Stream, root.Late))
	}
	for _, n := range x.Notes {
		line("note", "%s", n)
	}
	_, err := io.WriteString(out, b.String())
	return err
}

func sourceInWords(cfg *configs.Config, name string) string {
	for _, r := range cfg.Receivers {
		if r.Name == name {
			return fmt.Sprintf("%s, %s: %s", name, r.Common.Type, strings.Join(r.Config.Covers(), ", "))
		}
	}
	for _, s := range cfg.Streams {
		switch {
		case s.Name != name:
		case s.Window != "":
			return fmt.Sprintf("%s, stream: its results, with the topic %s; one of a window arrives when that ends", name, name)
		default:
			return fmt.Sprintf("%s, stream: its rows, with the topics and arrivals of their messages", name)
		}
	}
	return name
}

func boundInWords(s *batches.Bound) string {
	if s == nil {
		return "none: each row stands for itself"
	}
	if s.Joined != "" {
		rest := *s
		if rest.Joined = ""; rest.Parts == 0 && rest.Key == 0 {
			return s.Joined
		}
		return s.Joined + "; " + boundInWords(&rest)
	}
	text := fmt.Sprintf("at most %s groups (max_groups)", human.Count(s.Groups))
	if s.Parts > 1 {
		text += fmt.Sprintf(" in each of %s parts of time", human.Count(s.Parts))
	}
	if s.Parts > 0 {
		text += fmt.Sprintf(", about %s a group with one row", human.Bytes(s.Least))
		if s.Most > s.Least {
			text += fmt.Sprintf(" and %s with many different ones", human.Bytes(s.Most))
		}
	}
	if s.Key > 0 {
		text += fmt.Sprintf(", up to %s a key for the rows before", human.Bytes(s.Key))
	}
	if s.Grows {
		return text + "; that is no bound: it grows with the rows that differ"
	}
	_, most := s.Bytes()
	return text + fmt.Sprintf("; about %s at most", human.Bytes(most))
}

func sinkInWords(s explainedSink) string {
	text := fmt.Sprintf("%s, %s: %s", s.Name, s.Type, s.Encoding)
	if s.Rows > 0 || s.Bytes > 0 {
		text += fmt.Sprintf(", up to %s rows or about %s in one delivery", human.Count(s.Rows), human.Bytes(s.Bytes))
	}
	return text + fmt.Sprintf("; max_pending %s, when_full %s", s.MaxPending, s.WhenFull)
}
