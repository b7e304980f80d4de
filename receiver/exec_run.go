package receiver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"

	"edged"
	"edged/internal/child"
	"edged/internal/linewise"
	"edged/internal/sparse"
)

// execs is a receiver of a program's lines.
type execs struct {
	Exec
	env Env
	say *sparse.Log
	met *lineMeters
}

// Run implements edged.Receiver: it starts the program once, and returns when it and every process of its group has ended.
func (r *execs) Run(ctx context.Context, h edged.Handler) error {
	path, err := r.program(r.env)
	if err != nil {
		return err
	}
	p, err := child.Start(&exec.Cmd{Path: path, Args: r.Command, Dir: r.dir(r.env), Env: r.environment()}, lingering)
	if err != nil {
		return fmt.Errorf("the program cannot be started: %w", err)
	}
	r.met.begun.Inc()
	r.met.open.Inc()
	defer r.met.open.Dec()
	x := &running{r: r, ctx: ctx, p: p}
	if r.Ack {
		x.answers = newAnswers(p.In, true, x.unanswered)
		defer x.answers.close()
	} else {
		p.In.Close()
	}
	defer p.Close() // before, so that a write that blocks ends
	defer p.End(0)  // after a panic
	words := r.words()
	var reading sync.WaitGroup
	reading.Go(func() { words.Read(p.Err) })
	defer context.AfterFunc(ctx, func() { p.End(r.grace) })()
	if err = x.lines(h); err != nil {
		p.End(r.grace) // it writes to nobody
	}
	_, _ = io.Copy(io.Discard, p.Out)
	reading.Wait()
	<-p.Gone()
	if err == nil {
		err = x.broken() // it may have closed its standard output long ago
	}
	switch {
	case ctx.Err() != nil:
		return nil
	case err != nil:
		return fmt.Errorf("%s was ended: %w", r.short(), err)
	}
	return r.ended(p, words.Last())
}

// short is the program's name, for messages.
func (r *execs) short() string { return filepath.Base(r.Command[0]) }

// ended says what the end of the program is.
func (r *execs) ended(p *child.Child, last string) error {
	text := fmt.Sprintf("%s has ended: %s", r.short(), p.Fate())
	if last != "" {
		text += "; the last of its standard error: " + last
	}
	switch {
	case p.Status() == nil && r.Restart != "always":
		r.env.Log.Info("the program has ended, and is not started again", "receiver", r.env.Name, "program", r.short())
		return nil
	case r.Restart == "never":
		return edged.WithClass(errors.New(text), edged.Permanent)
	}
	return errors.New(text)
}

// running is the program while it runs.
type running struct {
	r       *execs
	ctx     context.Context
	p       *child.Child
	answers *answers // nil without ack
}

// unanswered is called when no more answers can be given. If a line could not be stored the program is ended: it has to repeat it. If
// it has closed its standard input it does not want to know.
func (x *running) unanswered() {
	if err := x.broken(); err != nil {
		x.p.End(x.r.grace)
		return
	}
	select {
	case <-x.p.Exited():
	default:
		x.r.say.Say(slog.LevelWarn, "the program has closed its standard input, and is not told any more what was stored", "receiver", x.r.env.Name, "program", x.r.short())
	}
}

// lines takes what the program writes. After ctx has ended it goes on as long as no line has to wait: the program says its last
// ones when it gets SIGTERM.
func (x *running) lines(h edged.Handler) error {
	in := linewise.NewReader(x.p.Out, int(x.r.MaxLine))
	f := lineFeed{h: h, answers: x.answers, met: x.r.met, topic: x.r.Topic.of(x.r.env.Name, ""), tooLong: func() {
		x.r.say.Say(slog.LevelWarn, "a line that is longer than max_line was left out; further ones are only counted until the program is started again",
			"receiver", x.r.env.Name, "max_line", x.r.MaxLine.String())
	}}
	for {
		line, over, err := in.Next()
		if err != nil { // there will be no more
			return x.broken()
		}
		if err := f.take(x.ctx, line, over); err != nil {
			return err
		}
	}
}

// broken is why there are no answers any more, if the program is not the reason.
func (x *running) broken() error {
	if x.answers == nil {
		return nil
	}
	switch err := x.answers.why(); {
	case err == nil, errors.Is(err, syscall.EPIPE), errors.Is(err, os.ErrClosed):
		return nil
	default:
		return fmt.Errorf("a line could not be stored: %w", err)
	}
}
