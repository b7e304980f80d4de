package daemon

import (
	"fmt"
	"time"

	"edged"
	"edged/batches"
	"edged/internal/human"
)

func (p *speaker) streams() {
	for _, st := range p.Streams {
		who := "stream " + st.Stream
		if !p.stands(who, st.Part) && st.Problem != "" {
			p.say("%s: %s", who, st.Problem)
		}
		p.types(who, st.Types)
		if st.Damaged > 0 {
			p.note("%s: %s in blocks that could not be read, counted as damaged", who, human.Plural(st.Damaged, "message was", "messages were"))
		}
		if !st.Balanced {
			p.unbalanced(who, st.Pending, "messages")
		}
		p.joined(who, st.Join)
	}
}

// joined says what a stream's join lacks.
func (p *speaker) joined(who string, j *batches.JoinStatus) {
	switch {
	case j == nil:
		return
	case j.Refused != "" && j.Missing:
		p.say("%s: the table of receiver %s cannot be read, and there is no other one: rows find no partner in it; correct the file: %s", who, j.With, j.Refused)
	case j.Refused != "":
		p.say("%s: the latest table of receiver %s cannot be read, and the one before is in force; correct the file: %s", who, j.With, j.Refused)
	case j.Missing:
		p.say("%s: it has no table of receiver %s, or not the latest: rows find no partner in it; is the file there, and readable?", who, j.With)
	case j.Skipped > 0:
		p.note("%s: in the table of receiver %s %s no key: nothing is joined with them", who, j.With, human.Plural(j.Skipped, "row has", "rows have"))
	}
	if j.Dropped > 0 {
		p.note("%s: since the start %s behind the join, because there are max_groups groups, or a group key was too long", who, human.Plural(j.Dropped, "row was dropped", "rows were dropped"))
	}
}

// types says of columns that not all of their values are of one type. What that of a declared one costs is wrong; of another it may be meant so.
func (p *speaker) types(who string, types []batches.TypeErrors) {
	for _, e := range types {
		were := fmt.Sprintf("%s: column %s: since the start %s not %s, the last one was %s", who, e.Column, human.Plural(e.Values, "value was", "values were"), e.Type, e.Last)
		if e.Declared {
			p.say("%s: they are null; check columns, or the sender", were)
		} else {
			p.note("%s: they stay as they are; name the column in columns to have one type", were)
		}
	}
}

// farAway is how long a wait is worth a word.
const farAway = 2 * time.Minute

// sinks says what keeps each: "sink cloud: 401 since 10:02, holding 1,204 results (3.1 MB); check token_file".
func (p *speaker) sinks() {
	for _, k := range p.Sinks {
		who := "sink " + k.Name
		if k.Name == edged.DeadLetters {
			who = "dead letters"
		}
		if h := k.Health; !p.stands(who, k.Part) && h.Problem != "" {
			cause, todo := h.Cause, h.Remedy
			if cause == "" {
				cause = h.Problem
			}
			if todo != "" {
				todo = "; " + todo
			}
			next := ""
			if h.Next.Sub(p.now) > farAway {
				next = ", next try at " + p.time(h.Next)
			}
			holding := p.held(k)
			if holding != "" {
				holding = ", holding " + holding
			}
			p.say("%s: %s since %s%s%s%s", who, cause, p.time(h.Since), holding, next, todo)
		}
		for _, d := range k.Deliveries {
			one, many := p.units(d.Stream)
			if d.Dropped > 0 && k.Name != edged.DeadLetters {
				p.note("%s: of stream %s %s dropped by a configured limit (when_full = %q)", who, d.Stream, human.Plural(d.Dropped, one+" was", many+" were"), d.WhenFull)
			}
			if d.Damaged > 0 {
				p.note("%s: of stream %s %s in blocks that could not be read, counted as damaged", who, d.Stream, human.Plural(d.Damaged, one+" was", many+" were"))
			}
			if !d.Balanced {
				p.unbalanced("stream "+d.Stream+" to "+who, d.Pending, many)
			}
		}
	}
}

// held is what waits for a sink: "1,204 results (3.1 MB)"; "" if nothing does.
func (p *speaker) held(k SinkStatus) string {
	rows, bytes, one, many := int64(0), int64(0), "", ""
	for _, d := range k.Deliveries {
		rows, bytes = rows+d.Pending, bytes+d.PendingBytes
		switch o, m := p.units(d.Stream); {
		case many == "" || many == m:
			one, many = o, m
		default:
			one, many = "row", "rows"
		}
	}
	if rows <= 0 {
		return ""
	}
	return fmt.Sprintf("%s (%s)", human.Plural(rows, one, many), human.Bytes(bytes))
}

// units are what a stream's rows are called.
func (p *speaker) units(stream string) (one, many string) {
	if stream == edged.DeadLetters {
		return "dead letter", "dead letters"
	}
	if edged.StreamOf(stream) != stream {
		return "row", "rows"
	}
	for _, st := range p.Streams {
		if st.Stream == stream && st.Windowed {
			return "result", "results"
		}
	}
	return "message", "messages"
}

func (p *speaker) deadLetters() {
	d := p.Dead
	if d == nil || d.Bytes == 0 && d.Dropped == 0 {
		return
	}
	if d.Dropped > 0 && d.Max-d.Bytes < d.Max/10 {
		p.say("dead letters: %s is full (%s), and %s not kept; read it, then empty it or move it away", d.Path, human.Of(d.Bytes, d.Max),
			human.Plural(d.Dropped, "was", "were"))
	}
	text := fmt.Sprintf("dead letters: %s so far, in %s (%s)", human.Count(d.Count), d.Path, human.Bytes(d.Bytes))
	if l := d.Last; l != nil {
		from := "stream " + l.Stream
		if l.Sink != "" {
			from += " for sink " + l.Sink
		}
		text += fmt.Sprintf("; the last, of %s, from %s: %s", p.time(l.Time), from, l.Reason)
	}
	p.note("%s", text)
}

func (p *speaker) kept() {
	for _, k := range p.Kept {
		p.say("%s is not configured any more, and holds back %s until it is given up at max_pending; to give it up now: edged store forget %s", k.Cursor, human.Bytes(k.Bytes), k.Cursor)
	}
}
