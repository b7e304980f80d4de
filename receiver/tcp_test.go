package receiver

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"edged"
	"edged/internal/conf"
	"edged/test/await"

	"github.com/VictoriaMetrics/metrics"
)

func lineEnv(log io.Writer) Env {
	return Env{Name: "r", Log: slog.New(slog.NewTextHandler(log, nil)), Metrics: metrics.NewSet()}
}

func TestLinesAreMessages(t *testing.T) {
	s := serve(t, func(c *TCP) { c.Topic, c.MaxLine = "in/{name}/{addr}", 16 })
	p := peerOf(t, s.at)
	p.send("one\r\ntwo\n\n\r\n0123456789abcdef\n0123456789abcdefg\n" + strings.Repeat("x", 100_000) + "\nthree\nlast")
	p.half()
	want := []string{"one", "two", "0123456789abcdef", "three", "last"}
	for i := range want {
		want[i] = "in/r/127.0.0.1 " + want[i]
	}
	if got := s.list(5); !slices.Equal(got, want) {
		t.Errorf("took %q\nwant %q", got, want)
	}
	if got := p.gets(1); got[0] != "ended" {
		t.Errorf("answered %q, unasked", got)
	}
	if n := s.meters().tooLong.Get(); n != 2 || s.log.Count("max_line was left out") != 1 {
		t.Errorf("%d counted, and said:\n%s", n, &s.log)
	}
}

func TestAnswersFollowTheCommit(t *testing.T) {
	s := serve(t, func(c *TCP) { c.Ack, c.MaxLine = true, 16 })
	p := peerOf(t, s.at)
	p.send("\none\n" + strings.Repeat("x", 20) + "\ntwo\n\nthree")
	p.half()
	if got := p.gets(1); got[0] != "ok" {
		t.Fatalf("an empty line: %q", got)
	}
	s.list(3)
	s.commit(1, nil)
	if got := p.gets(2); !slices.Equal(got, []string{"ok", "too long"}) {
		t.Fatalf("after the first commit: %q", got)
	}
	s.commit(2, nil)
	if got := p.gets(4); !slices.Equal(got, []string{"ok", "ok", "ok", "ended"}) {
		t.Fatalf("after the last commit: %q", got)
	}
}

func TestWhatCannotBeStoredEndsTheConnection(t *testing.T) {
	s := serve(t, func(c *TCP) { c.Ack = true })
	p, other := peerOf(t, s.at), peerOf(t, s.at)
	p.send("one\ntwo\nthree\n")
	s.list(3)
	s.commit(1, nil)
	s.commit(2, errors.New("the disk is gone"))
	if got := p.gets(2); !slices.Equal(got, []string{"ok", "ended"}) {
		t.Fatal(got)
	}
	await.Soon(t, "it is said", func() bool { return s.log.Count("the disk is gone") == 1 })
	other.send("four\n")
	s.commit(1, nil)
	if got := other.gets(1); got[0] != "ok" {
		t.Fatalf("the other connection: %q", got)
	}
}

// A stop waits for the commits of what was taken, and answers it; what was not taken has no answer.
func TestAStopAnswersWhatWasTaken(t *testing.T) {
	s := serve(t, func(c *TCP) { c.Ack = true })
	p := peerOf(t, s.at)
	p.send("one\n")
	s.list(1)
	s.stop()
	await.Soon(t, "nobody is let in any more", func() bool {
		c, err := net.Dial("tcp", s.at.String())
		if err == nil {
			c.Close()
		}
		return err != nil
	})
	s.commit(1, nil)
	if got := p.gets(2); !slices.Equal(got, []string{"ok", "ended"}) {
		t.Fatal(got)
	}
	if err := <-s.ended; err != nil {
		t.Fatal(err)
	}
}

func TestConnectionsAreBounded(t *testing.T) {
	s := serve(t, func(c *TCP) { c.MaxConnections = 1 })
	p := peerOf(t, s.at)
	p.send("one\n")
	s.list(1)
	if got := peerOf(t, s.at).gets(1); got[0] != "ended" {
		t.Fatal(got)
	}
	await.Soon(t, "the refused connection is counted", func() bool { return s.meters().refused.Get() == 1 })
	p.half()
	await.Soon(t, "the place is free", func() bool { return s.meters().open.Get() == 0 })
	next := peerOf(t, s.at)
	next.send("two\n")
	s.list(1)
}

func TestIdleConnectionsEnd(t *testing.T) {
	s := serve(t, func(c *TCP) { c.IdleTimeout = conf.Duration(100 * time.Millisecond) })
	p := peerOf(t, s.at)
	p.send("half a line")
	if got := p.gets(1); got[0] != "ended" {
		t.Fatal(got)
	}
	if len(s.took) != 0 {
		t.Errorf("an unfinished line was taken: %q", <-s.took)
	}
}

func TestDiallingOutFailsSoThatItIsTriedAgain(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := DefaultTCP()
	c.Dial = l.Addr().String()
	r, s := c.New(lineEnv(io.Discard)), newSink()
	go func() {
		in, err := l.Accept()
		if err == nil {
			_, _ = io.WriteString(in, "one\ntwo")
			in.Close()
		}
		l.Close()
	}()
	for range 2 { // closed by the other side, then refused
		if err := r.Run(t.Context(), s); err == nil || edged.ClassOf(err) != edged.Retryable || !strings.Contains(err.Error(), c.Dial) {
			t.Errorf("Run returned %v", err)
		}
	}
	if got := s.list(2); !slices.Equal(got, []string{"lines/r one", "lines/r two"}) {
		t.Error(got)
	}
}

func TestAPeerThatReadsNoAnswersHoldsNobody(t *testing.T) {
	here, there := net.Pipe() // without any buffer
	defer there.Close()
	c := DefaultTCP()
	c.Ack = true
	r := (*tcp)(c.New(lineEnv(io.Discard)).(*listener))
	s := newSink()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.serve(ctx, here, s) }()
	_, _ = io.WriteString(there, "one\ntwo\n")
	s.commit(2, nil) // does not block
	if got := s.list(2); got[0] != "lines/r one" {
		t.Error(got)
	}
	cancel()
	select {
	case <-ended:
	case <-time.After(await.Patience):
		t.Fatal("it waits for its peer")
	}
}
