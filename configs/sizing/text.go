package sizing

import (
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"

	"edged/internal/human"
)

// Write writes the report as people read it.
func (r *Report) Write(out io.Writer) error {
	t := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	p := func(format string, args ...any) { fmt.Fprintf(t, format, args...) }
	for _, a := range r.Advice {
		p("%s\n", a)
	}
	p("\nmessages\t%s\n", perTime(r.Messages))
	p("topics and payloads stored\t%s a day\n", bytesOf(r.Payload))
	s := r.Store
	p("written to the store\t%s a day, %.1f bytes a byte\n", bytesOf(s.Written), s.PerStored)
	p("commits\t%s, %s each\n", perTime(s.Commits), bytesOf(s.PerCommit))
	p("acknowledged after\t%s\n", r.acks())
	p("memory\tabout %s; %s if every stream has max_groups groups\n", bytesOf(r.Memory.Bytes), bytesOf(r.Memory.Most))
	p("processor\t%.1f %% of one (x86; nothing was measured on a Pi, and no factor is known)\n", 100*r.CPU.Share)
	p("disk\t%s\n", r.disk())
	p("card\t%s\n", r.card())
	if len(r.Streams) > 0 {
		p("\nstream\tmessages\trows a day\tgroups\tmemory\n")
	}
	for _, g := range r.Streams {
		p("%s\t%s\t%s\t%s\t%s\n", g.Name, perTime(g.In), count(g.Rows), count(g.Groups), bytesOf(g.Memory))
	}
	if len(r.Sinks) > 0 {
		p("\nsink\ttype\trows a day\tbytes a day\twhile it is away\n")
	}
	for _, k := range r.Sinks {
		p("%s\t%s\t%s\t%s\t%s\n", k.Name, k.Type, count(k.Rows), bytesOf(k.Bytes), k.away())
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := io.WriteString(out, list("\nassumed", r.Assumed)+list("not in these figures", r.Not))
	return err
}

func list(title string, lines []string) string {
	if len(lines) == 0 {
		return ""
	}
	return title + ":\n  " + strings.Join(lines, "\n  ") + "\n"
}

func (r *Report) acks() string {
	s := r.Store
	switch {
	case s.AckNobody:
		return "nobody waits for one"
	case s.At < 0.005:
		return fmt.Sprintf("%.0f ms, %.0f ms at most: each has a commit at once, and the write budget bears it", s.AckMiddle, s.AckMost)
	case s.At > 0.995:
		return fmt.Sprintf("%.0f ms, %.0f ms at most: they wait for commit_interval", s.AckMiddle, s.AckMost)
	}
	return fmt.Sprintf("%.0f ms, %.0f ms at most: the write budget bears commits after %.0f %% of commit_interval", s.AckMiddle, s.AckMost, 100*s.At)
}

func (r *Report) disk() string {
	d := r.Disk
	text := bytesOf(d.Needs) + " for the store and files that have a bound"
	if d.Grows > 0 {
		text += fmt.Sprintf(", and %s a day for those that have none", bytesOf(d.Grows))
	}
	switch {
	case !d.Known:
		return text
	case d.Grows > 0:
		return text + fmt.Sprintf("; %s are free: full after %s", bytesOf(d.Free), span(d.Days))
	}
	return text + fmt.Sprintf("; %s are free", bytesOf(d.Free))
}

func (r *Report) card() string {
	k := r.Card
	text := fmt.Sprintf("%s a day with the files; ", bytesOf(k.Written))
	if k.Years == 0 {
		text = "nothing is written; "
	} else {
		text += span(k.Years*365) + " until "
	}
	if k.Assumed {
		return text + fmt.Sprintf("%.0f TB, which is assumed: %d GB, %d erasures, and small writes that cost the cells %d times their bytes (--card-tbw)", k.TBW, cardGB, cardCycles, cardAmplifies)
	}
	return text + fmt.Sprintf("%v TB", k.TBW)
}

func (k *Sink) away() string {
	switch {
	case k.Bound == "":
		return "-"
	case k.Away == 0:
		return fmt.Sprintf("at once (%s): %s", k.Bound, k.Then)
	}
	return fmt.Sprintf("after %s (%s): %s", span(k.Away), k.Bound, k.Then)
}

// bytesOf writes an estimate: two digits are enough.
func bytesOf(n float64) string {
	if n < 1000 {
		return fmt.Sprintf("%.0f B", n)
	}
	unit := math.Pow(10, math.Floor(math.Log10(n))-1)
	return human.Bytes(int64(math.Round(math.Round(n/unit)*unit)) | 1) // odd: never mistaken for a limit
}

func count(n float64) string { return human.Count(int64(math.Round(n))) }

// perTime writes a rate in the unit in which it is not below one.
func perTime(rate float64) string {
	switch {
	case rate == 0:
		return "0"
	case rate >= 0.995:
		return short(rate) + " a second"
	case rate*60 >= 0.995:
		return short(rate*60) + " a minute"
	}
	return short(rate*3600) + " an hour"
}

func short(v float64) string {
	if v < 9.95 {
		return strings.TrimSuffix(fmt.Sprintf("%.1f", v), ".0")
	}
	return human.Count(int64(math.Round(v)))
}

// Cells are the figures that tell gateways apart, for a table: messages, bytes written to the store and by files, acknowledgement, link away, card, disk, memory.
func (r *Report) Cells() []string {
	ack := fmt.Sprintf("%.0f to %.0f ms", r.Store.AckMiddle, r.Store.AckMost)
	link := "-"
	for _, k := range r.Sinks {
		if k.Type != "file" && k.Bound != "" {
			link = span(k.Away) + ", then " + k.Then
		}
	}
	card := "-"
	if r.Card.Years > 0 {
		card = span(r.Card.Years * 365)
	}
	disk := bytesOf(r.Disk.Needs)
	if r.Disk.Grows > 0 {
		disk += ", and " + bytesOf(r.Disk.Grows) + " a day"
	}
	return []string{perTime(r.Messages), bytesOf(r.Store.Written), bytesOf(r.Card.Written - r.Store.Written), ack, link, card, disk, bytesOf(r.Memory.Bytes)}
}
