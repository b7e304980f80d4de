package broker

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"
)

// peer is an MQTT client of bytes: it sends what the test says, malformed or not, and shows what comes back. It shares no
// code with the library under the broker.
type peer struct {
	t testing.TB
	net.Conn
	r  *bufio.Reader
	v5 bool
}

func dial(t testing.TB, s *server) *peer {
	t.Helper()
	c, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return &peer{t: t, Conn: c, r: bufio.NewReader(c)}
}

// connect dials, and fails unless the connection is accepted.
func connect(t testing.TB, s *server, o opts) (w *peer, present bool) {
	t.Helper()
	w = dial(t, s)
	ack := w.connect(o)
	if ack.body[1] != 0 {
		t.Fatalf("CONNACK %v", ack)
	}
	return w, ack.body[0] == 1
}

func (w *peer) connect(o opts) frame {
	w.t.Helper()
	w.v5 = o.v5
	w.send(connectPacket(o))
	ack := w.read()
	if ack.kind != 0x20 {
		w.t.Fatalf("want CONNACK, have %v", ack)
	}
	return ack
}

func (w *peer) publish(ms ...p) {
	w.t.Helper()
	var b []byte
	for _, m := range ms {
		b = append(b, w.publishPacket(m)...)
	}
	w.send(b)
}

// subscribe subscribes with the options byte of MQTT 5 (3.8.3.1), of which 3.1.1 has the QoS, and waits for SUBACK.
func (w *peer) subscribe(id uint16, filter string, options byte) byte {
	w.t.Helper()
	w.send(w.subscribePacket(id, filter, options))
	f := w.read()
	if f.kind != 0x90 || f.id() != id {
		w.t.Fatalf("want SUBACK %d, have %v", id, f)
	}
	return f.body[len(f.body)-1]
}

func (w *peer) ack(first byte, id uint16) {
	w.t.Helper()
	w.send([]byte{first, 2, byte(id >> 8), byte(id)})
}

func (w *peer) send(b []byte) {
	w.t.Helper()
	if _, err := w.Write(b); err != nil {
		w.t.Fatal(err)
	}
}

// disconnect leaves properly, and waits until the broker has seen it.
func (w *peer) disconnect() {
	w.t.Helper()
	w.send([]byte{0xE0, 0})
	w.ended()
}

func (w *peer) read() frame {
	w.t.Helper()
	f, err := w.tryRead(patient)
	if err != nil {
		w.t.Fatalf("no packet: %v", err)
	}
	return f
}

func (w *peer) tryRead(wait time.Duration) (f frame, err error) {
	_ = w.SetReadDeadline(time.Now().Add(wait))
	first, err := w.r.ReadByte()
	if err != nil {
		return f, err
	}
	n, err := binary.ReadUvarint(w.r)
	if err != nil {
		return f, err
	}
	f = frame{kind: first, v5: w.v5, body: make([]byte, n)}
	if first&0xF0 == 0x30 {
		f.kind, f.bits = 0x30, first&0x0F
	}
	_, err = io.ReadFull(w.r, f.body)
	return f, err
}

// message reads a PUBLISH.
func (w *peer) message() got { w.t.Helper(); return w.read().publish(w.t) }

// acks reads acknowledgements of one kind.
func (w *peer) acks(kind byte, ids ...uint16) {
	w.t.Helper()
	for _, id := range ids {
		if f := w.read(); f.kind != kind || f.id() != id || f.code() >= 0x80 {
			w.t.Fatalf("want %02X %d, have %v", kind, id, f)
		}
	}
}

// quiet checks that nothing more has come: what the broker says before it answers a PINGREQ is there.
func (w *peer) quiet() {
	w.t.Helper()
	w.send([]byte{0xC0, 0})
	if f := w.read(); f.kind != 0xD0 {
		w.t.Fatalf("want nothing, have %v", f)
	}
}

// ended waits for the end of the connection and returns the reason code of a DISCONNECT, if one comes.
func (w *peer) ended() (code byte) {
	w.t.Helper()
	for {
		f, err := w.tryRead(patient)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			w.t.Fatal("the connection did not end")
		case err != nil:
			_ = w.Close()
			return code
		case f.kind == 0xE0 && len(f.body) > 0:
			code = f.body[0]
		}
	}
}
