package intake

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"testing"
	"time"

	"edged"
	"edged/broker/seldom"

	"github.com/VictoriaMetrics/metrics"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newIntake(l Limits) *Intake {
	return New(l, seldom.New(slog.New(slog.NewTextHandler(io.Discard, nil))), metrics.NewSet())
}

var roomy = Limits{Inflight: 100, Pending: 1000, Bytes: 1 << 20, Total: 1 << 30}

// receiver is a Handler whose commits the test makes.
type receiver struct {
	mu      sync.Mutex
	waiting []promise
	stored  []edged.Message
	place   uint64 // of the last commit
	refuse  func(ctx context.Context) error
	ready   int  // how many messages TakeReady takes
	runs    bool // commit tells of several messages at once where it can
}

type promise struct {
	ack   edged.Acker
	token uint64
}

func (r *receiver) Take(ctx context.Context, m *edged.Message, ack edged.Acker, token uint64) error {
	if r.refuse != nil {
		if err := r.refuse(ctx); err != nil {
			return err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	kept := *m
	kept.Payload = append([]byte(nil), m.Payload...)
	r.stored = append(r.stored, kept)
	if ack != nil {
		r.waiting = append(r.waiting, promise{ack, token})
	}
	return nil
}

// TakeReady implements edged.BatchHandler.
func (r *receiver) TakeReady(ms []edged.Message, ack edged.Acker, first uint64) (n int) {
	for ; n < min(len(ms), r.ready); n++ {
		if err := r.Take(context.Background(), &ms[n], ack, first+uint64(n)); err != nil {
			return n
		}
	}
	return n
}

// commit makes the first n messages durable, or fails them with err.
func (r *receiver) commit(n int, err error) {
	r.mu.Lock()
	done := r.waiting[:min(n, len(r.waiting))]
	r.waiting = r.waiting[len(done):]
	r.place++
	at := edged.Pos{Seq: r.place}
	r.mu.Unlock()
	var last edged.Acker
	for i := 0; i < len(done); i++ {
		t, n := done[i], 1
		if last != nil && last != t.ack {
			last.Flush()
		}
		last = t.ack
		many, ok := t.ack.(edged.BatchAcker)
		if !r.runs || !ok {
			t.ack.Acked(t.token, at, err)
			continue
		}
		for ; i+1 < len(done) && done[i+1].ack == t.ack && done[i+1].token == t.token+uint64(n); i++ {
			n++
		}
		many.AckedTogether(t.token, n, at, err)
	}
	if last != nil {
		last.Flush()
	}
}

func (r *receiver) count() int { r.mu.Lock(); defer r.mu.Unlock(); return len(r.stored) }

// peer is a connection whose socket the test reads.
type peer struct {
	link    *Link
	woken   int
	severed error
}

func (p *peer) Wake()                      { p.woken++ }
func (p *peer) Sever(code byte, why error) { p.severed = why }
func (p *peer) read() []packet             { return p.readUpTo(1 << 30) }
func (p *peer) readUpTo(bytes int) []packet {
	b := p.link.Collect(nil)
	n := min(bytes, len(b))
	p.link.Written(n)
	return decode(b[:n])
}

type packet struct {
	kind byte
	id   uint16
	code byte
}

// decode reads whole acknowledgements; a torn one at the end is left out, as a client would.
func decode(b []byte) (out []packet) {
	for len(b) >= 2 && len(b) >= 2+int(b[1]) {
		p := packet{kind: b[0], id: uint16(b[2])<<8 | uint16(b[3])}
		if b[1] == 3 {
			p.code = b[4]
		}
		out, b = append(out, p), b[2+int(b[1]):]
	}
	return out
}

func connect(s *Session, v5 bool) *peer {
	p := &peer{}
	p.link = s.Connect(p, v5, time.Second)
	return p
}

func pub(id uint16, qos byte, to ...edged.Handler) *Publish {
	return &Publish{Message: edged.Message{Topic: "t", Payload: []byte{byte(id >> 8), byte(id)}, QoS: qos}, ID: id, To: to}
}

func dup(p *Publish) *Publish { p.Dup = true; return p }

func take(t *testing.T, p *peer, pubs ...*Publish) {
	t.Helper()
	for _, x := range pubs {
		if err := p.link.Take(x); err != nil {
			t.Fatalf("publish %d: %v", x.ID, err)
		}
	}
}

func ids(t *testing.T, got []packet, kind byte, want ...uint16) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("got %v, want ids %v", got, want)
	}
	for i, p := range got {
		if p.kind != kind || p.id != want[i] || p.code != 0 {
			t.Fatalf("got %v, want ids %v", got, want)
		}
	}
}

type delivery struct {
	name string
	to   *[]string
}

func (d delivery) Begin(bool)              {}
func (d delivery) Deliver(edged.Pos, bool) { *d.to = append(*d.to, d.name) }
func (d delivery) Abandon()                { *d.to = append(*d.to, "-"+d.name) }
