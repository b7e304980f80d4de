package receiver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"time"

	"edged"
	"edged/internal/linewise"
	"edged/internal/sparse"
)

const (
	// lastAnswers is how long a connection waits, after the receiver was told to stop, for the commits of the lines that it took.
	lastAnswers = 2 * time.Second
	// writeWithin is how long a peer may take to read an answer.
	writeWithin = 30 * time.Second
)

// tcp is a receiver of lines over TCP.
type tcp struct {
	TCP
	name string
	log  *slog.Logger
	say  *sparse.Log
	met  *lineMeters
}

// serve takes the lines of one connection until its end, and closes it. nil: the peer has sent its last line, or ctx has ended.
func (r *tcp) serve(ctx context.Context, c net.Conn, h edged.Handler) error {
	defer c.Close()
	r.met.begun.Inc()
	r.met.open.Inc()
	defer r.met.open.Dec()
	defer context.AfterFunc(ctx, func() { _ = c.SetReadDeadline(time.Unix(1, 0)) })() // answers are still written
	x := &connection{r: r, ctx: ctx, c: c}
	if r.Ack {
		x.answers = newAnswers(x, false, func() { c.Close() })
		defer x.answers.close()
		defer c.Close() // before, so that a write that blocks ends
	}
	err := x.lines(h)
	if x.answers == nil {
		return err
	}
	if err == nil {
		x.answers.finish(ctx.Done(), lastAnswers)
	}
	if why := x.answers.why(); why != nil && ctx.Err() == nil {
		return fmt.Errorf("%v cannot be answered any more, and has been disconnected: %w", c.RemoteAddr(), why)
	}
	return err
}

// connection is one connection of it.
type connection struct {
	r       *tcp
	ctx     context.Context
	c       net.Conn
	answers *answers // nil without ack
}

// Read implements io.Reader, and waits for idle_timeout at most. The time that a line waits to be taken does not count.
func (x *connection) Read(b []byte) (int, error) {
	if d := x.r.IdleTimeout.D(); d > 0 {
		_ = x.c.SetReadDeadline(time.Now().Add(d))
		if x.ctx.Err() != nil { // and the deadline above may have replaced the one that says so
			return 0, os.ErrDeadlineExceeded
		}
	}
	return x.c.Read(b)
}

// Write implements io.Writer, for the answers.
func (x *connection) Write(b []byte) (int, error) {
	_ = x.c.SetWriteDeadline(time.Now().Add(writeWithin))
	return x.c.Write(b)
}

func (x *connection) lines(h edged.Handler) error {
	in := linewise.NewReader(x, int(x.r.MaxLine))
	f := lineFeed{h: h, answers: x.answers, met: x.r.met, topic: x.r.Topic.of(x.r.name, topicSafe(x.c.RemoteAddr())), tooLong: func() {
		x.r.say.Say(slog.LevelWarn, "a line that is longer than max_line was left out; further ones of this connection are only counted",
			"receiver", x.r.name, "peer", x.c.RemoteAddr().String(), "max_line", x.r.MaxLine.String())
	}}
	for {
		line, over, err := in.Next()
		switch {
		case err == io.EOF || x.ctx.Err() != nil:
			return nil
		case err != nil:
			return fmt.Errorf("the connection with %v has ended: %w", x.c.RemoteAddr(), err)
		}
		switch err := f.take(x.ctx, line, over); {
		case err == nil:
		case errors.Is(err, errApart):
			return fmt.Errorf("%v: %w", x.c.RemoteAddr(), err)
		case x.ctx.Err() != nil || errors.Is(err, edged.ErrStopped):
			return nil // the line has no answer: it is still the peer's
		default:
			return err
		}
	}
}
