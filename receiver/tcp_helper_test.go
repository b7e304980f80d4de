package receiver

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"edged"
	"edged/receiver/receivertest"
	"edged/test/await"
)

func TestConformanceOfTCP(t *testing.T) {
	for _, ack := range []bool{false, true} {
		t.Run(fmt.Sprint("listen, ack ", ack), func(t *testing.T) {
			receivertest.Run(t, func(t *testing.T, payloads []string) (edged.Receiver, func()) {
				c, at := DefaultTCP(), make(chan net.Addr, 1)
				c.Listen, c.Ack, c.listening = "127.0.0.1:0", ack, func(a net.Addr) { at <- a }
				return c.New(lineEnv(io.Discard)), func() {
					if payloads == nil {
						return // nobody connects
					}
					p := peerOf(t, <-at)
					p.send(lines(payloads))
					if ack {
						p.half()
					} // and the receiver closes it when it stops
					_, _ = io.Copy(io.Discard, p.c)
				}
			})
		})
		t.Run(fmt.Sprint("dial, ack ", ack), func(t *testing.T) {
			receivertest.Run(t, func(t *testing.T, payloads []string) (edged.Receiver, func()) {
				l, err := net.Listen("tcp", "127.0.0.1:0")
				if err != nil {
					t.Fatal(err)
				}
				var serving sync.WaitGroup
				t.Cleanup(func() { l.Close(); serving.Wait() })
				serving.Go(func() {
					in, err := l.Accept()
					if err != nil {
						return // it was stopped before it connected
					}
					defer in.Close()
					_, _ = io.WriteString(in, lines(payloads))
					_, _ = io.Copy(io.Discard, in)
				})
				c := DefaultTCP()
				c.Dial, c.Ack = l.Addr().String(), ack
				return c.New(lineEnv(io.Discard)), func() {}
			})
		})
	}
}

func lines(payloads []string) string {
	if len(payloads) == 0 {
		return ""
	}
	return strings.Join(payloads, "\n") + "\n"
}

// peer is who sends lines.
type peer struct {
	t  *testing.T
	c  *net.TCPConn
	in *bufio.Reader
}

func peerOf(t *testing.T, at net.Addr) *peer {
	c, err := net.Dial("tcp", at.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return &peer{t, c.(*net.TCPConn), bufio.NewReader(c)}
}

func (p *peer) send(text string) {
	if _, err := io.WriteString(p.c, text); err != nil {
		p.t.Error(err)
	}
}

func (p *peer) half() { _ = p.c.CloseWrite() }

// gets reads n answers; fewer if the connection ends.
func (p *peer) gets(n int) (got []string) {
	_ = p.c.SetReadDeadline(time.Now().Add(await.Patience))
	for range n {
		line, err := p.in.ReadString('\n')
		if err != nil {
			return append(got, "ended")
		}
		got = append(got, strings.TrimSuffix(line, "\n"))
	}
	return got
}

// sink is a handler whose test says when it acknowledges.
type sink struct {
	took   chan string // topic and payload
	acks   chan ackRefOf
	refuse error
}

func newSink() *sink { return &sink{took: make(chan string, 1000), acks: make(chan ackRefOf, 1000)} }

func (s *sink) Take(_ context.Context, m *edged.Message, ack edged.Acker, token uint64) error {
	if s.refuse != nil {
		return s.refuse
	}
	s.took <- m.Topic + " " + string(m.Payload)
	if ack != nil {
		s.acks <- ackRefOf{ack, token}
	}
	return nil
}

func (s *sink) commit(n int, err error) {
	for range n {
		a := <-s.acks
		a.acker.Acked(a.token, edged.Pos{}, err)
		a.acker.Flush()
	}
}

func (s *sink) list(n int) (got []string) {
	for range n {
		got = append(got, <-s.took)
	}
	return got
}

// served starts a listening receiver.
type served struct {
	*sink
	log   await.Log
	at    net.Addr
	r     edged.Receiver
	stop  context.CancelFunc
	ended chan error
}

func serve(t *testing.T, change func(*TCP)) *served {
	t.Helper()
	c, at := DefaultTCP(), make(chan net.Addr, 1)
	c.Listen, c.listening = "127.0.0.1:0", func(a net.Addr) { at <- a }
	if change != nil {
		change(c)
	}
	s := &served{sink: newSink(), ended: make(chan error, 1)}
	s.r = c.New(lineEnv(&s.log))
	ctx, cancel := context.WithCancel(context.Background())
	s.stop = cancel
	ended := make(chan struct{})
	go func() { s.ended <- s.r.Run(ctx, s); close(ended) }()
	t.Cleanup(func() { cancel(); <-ended })
	s.at = <-at
	return s
}

func (s *served) meters() *lineMeters { return s.r.(*listener).met }
