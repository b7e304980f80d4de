package broker

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"

	"edged"
	"edged/test/await"
	"edged/test/rawmqtt"
)

// partly is a receiver that puts something else into the log than what came.
type partly struct {
	*carrier
	kept   atomic.Int32
	copies atomic.Int32
}

// Take implements edged.Handler.
func (p *partly) Take(ctx context.Context, m *edged.Message, ack edged.Acker, token uint64) error {
	if m.Kept {
		p.kept.Add(1)
	}
	p.copies.Store(int32(m.Origin.Copies))
	part := *m
	part.Payload = []byte("part")
	return p.carrier.Take(ctx, &part, ack, token)
}

// A receiver that splits what it takes is durable, and its copy is not what a session reads: an offline subscriber gets the
// message whole, also after a crash, and a QoS 2 publish is received when both copies are stored.
func TestSessionsDoNotReadParts(t *testing.T) {
	for _, qos := range []byte{1, 2} {
		t.Run(fmt.Sprint("QoS ", qos), func(t *testing.T) {
			b := newBook(nil)
			s := kept(t, b, true, nil)
			b.mu.Lock()
			parts := &partly{carrier: b.carrier()}
			b.mu.Unlock()
			s.AttachParts(parts.name, []string{"a"}, parts)
			o := rawmqtt.Connect{ID: "sub", Keep: true}
			w, _ := connect(t, s, o)
			w.Subscribe(1, "a", qos)
			w.Disconnect()
			p, _ := connect(t, s, rawmqtt.Connect{ID: "pub", Keep: true})
			p.Publish(rawmqtt.Publish{Topic: "a", QoS: qos, ID: 1, Payload: "1\n2"})
			p.Acks(map[byte]byte{1: 0x40, 2: 0x50}[qos], 1)
			if n := parts.kept.Load(); n != 0 {
				t.Fatal("it was to keep the copy that sessions read")
			}
			if n := parts.copies.Load(); qos == 2 && n != 2 {
				t.Fatalf("%d copies of it count, want the receiver's and the broker's own", n)
			}
			s, b = crashed(t, s, b, true, nil)
			if n := b.size(edged.SpaceReceived); n != int(qos)-1 {
				t.Fatalf("%d publishes are known as received", n)
			}
			w, _ = connect(t, s, o)
			c := &subscriber{id: "sub", w: w, have: map[uint16]string{}}
			await.Soon(t, "it comes", func() bool { c.read(t); c.answer(100); return len(c.got) == 1 })
			if !slices.Equal(c.got, []string{"1\n2"}) {
				t.Fatalf("got %q", c.got)
			}
			s.still(t, b)
		})
	}
}
