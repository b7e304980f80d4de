package receiver

import (
	"context"

	"edged"
)

// lineFeed hands the lines of one peer to the handler. It is for one goroutine.
type lineFeed struct {
	h       edged.Handler
	answers *answers // nil without ack
	met     *lineMeters
	topic   string
	tooLong func() // logs that a line was left out; called for the first one

	m    edged.Message // scratch
	said bool
}

// take hands a line over; with over it is only the beginning of one. A line that is too long or empty is not taken, and only gets
// its answer. The error is the handler's, or errApart; the line has no answer then. line is the caller's again afterwards.
func (f *lineFeed) take(ctx context.Context, line []byte, over bool) error {
	if over {
		f.met.tooLong.Inc()
		if !f.said {
			f.said = true
			f.tooLong()
		}
	}
	f.m.Topic, f.m.Payload = f.topic, line
	switch skip := over || len(line) == 0; {
	case skip && f.answers == nil:
		return nil
	case skip:
		return f.answers.pass(over)
	case f.answers == nil:
		return f.h.Take(ctx, &f.m, nil, 0)
	}
	err := f.h.Take(ctx, &f.m, f.answers, f.answers.line())
	if err != nil {
		f.answers.forget()
	}
	return err
}
