// Package rawmqtt is an MQTT client of bytes for tests: it sends what the test says, malformed or not, and shows what comes
// back. It shares no code with the broker.
package rawmqtt

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"edged/test/await"
)

// Patience is how long a test waits for what must come.
const Patience = await.Patience

// Client is a connection. Its methods fail the test when what they wait for does not come.
type Client struct {
	T testing.TB
	net.Conn
	V5 bool

	r *bufio.Reader
}

// New makes a client of a connection, which ends with the test.
func New(t testing.TB, c net.Conn) *Client {
	t.Cleanup(func() { _ = c.Close() })
	return &Client{T: t, Conn: c, r: bufio.NewReader(c)}
}

// Dial opens a TCP connection, and sends nothing.
func Dial(t testing.TB, addr string) *Client {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	return New(t, c)
}

// Login dials, and fails unless the connection is accepted.
func Login(t testing.TB, addr string, o Connect) (w *Client, present bool) {
	t.Helper()
	w = Dial(t, addr)
	ack := w.Connect(o)
	if len(ack.Body) < 2 || ack.Body[1] != 0 {
		t.Fatalf("CONNACK %v", ack)
	}
	return w, ack.Body[0] == 1
}

// Connect sends CONNECT and returns the CONNACK.
func (w *Client) Connect(o Connect) Frame {
	w.T.Helper()
	w.V5 = o.V5
	w.Send(o.Bytes())
	ack := w.Read()
	if ack.Kind != 0x20 {
		w.T.Fatalf("want CONNACK, have %v", ack)
	}
	return ack
}

// Publish sends messages in one write.
func (w *Client) Publish(ms ...Publish) {
	w.T.Helper()
	var b []byte
	for _, m := range ms {
		b = append(b, m.Bytes(w.V5)...)
	}
	w.Send(b)
}

// Subscribe subscribes, waits for SUBACK and returns its reason code.
func (w *Client) Subscribe(id uint16, filter string, options byte) byte {
	w.T.Helper()
	w.Send(Subscribe(w.V5, id, filter, options))
	f := w.Read()
	if f.Kind != 0x90 || f.ID() != id {
		w.T.Fatalf("want SUBACK %d, have %v", id, f)
	}
	return f.Body[len(f.Body)-1]
}

// Ack sends an acknowledgement.
func (w *Client) Ack(first byte, id uint16) { w.T.Helper(); w.Send(Ack(first, id)) }

// Send sends bytes.
func (w *Client) Send(b []byte) {
	w.T.Helper()
	if _, err := w.Write(b); err != nil {
		w.T.Fatal(err)
	}
}

// Disconnect leaves properly, and waits until the broker has seen it.
func (w *Client) Disconnect() {
	w.T.Helper()
	w.Send([]byte{0xE0, 0})
	w.Ended()
}

// Read returns the next packet.
func (w *Client) Read() Frame {
	w.T.Helper()
	f, err := w.TryRead(Patience)
	if err != nil {
		w.T.Fatalf("no packet: %v", err)
	}
	return f
}

// TryRead returns the next packet, or what came in its place.
func (w *Client) TryRead(wait time.Duration) (f Frame, err error) {
	_ = w.SetReadDeadline(time.Now().Add(wait))
	first, err := w.r.ReadByte()
	if err != nil {
		return f, err
	}
	n, err := binary.ReadUvarint(w.r)
	if err != nil {
		return f, err
	}
	f = Frame{Kind: first, V5: w.V5, Body: make([]byte, n)}
	if first&0xF0 == 0x30 {
		f.Kind, f.Bits = 0x30, first&0x0F
	}
	_, err = io.ReadFull(w.r, f.Body)
	return f, err
}

// Message reads a PUBLISH.
func (w *Client) Message() Message {
	w.T.Helper()
	f := w.Read()
	m, ok := f.Message()
	if !ok {
		w.T.Fatalf("want PUBLISH, have %v", f)
	}
	return m
}

// Acks reads acknowledgements of one kind.
func (w *Client) Acks(kind byte, ids ...uint16) {
	w.T.Helper()
	for _, id := range ids {
		if f := w.Read(); f.Kind != kind || f.ID() != id || f.Code() >= 0x80 {
			w.T.Fatalf("want %02X %d, have %v", kind, id, f)
		}
	}
}

// Quiet checks that nothing more has come: what the broker says before it answers a PINGREQ is there.
func (w *Client) Quiet() {
	w.T.Helper()
	w.Send([]byte{0xC0, 0})
	if f := w.Read(); f.Kind != 0xD0 {
		w.T.Fatalf("want nothing, have %v", f)
	}
}

// Ended waits for the end of the connection and returns the reason code of a DISCONNECT, if one comes.
func (w *Client) Ended() (code byte) {
	w.T.Helper()
	for {
		f, err := w.TryRead(Patience)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			w.T.Fatal("the connection did not end")
		case err != nil:
			_ = w.Close()
			return code
		case f.Kind == 0xE0 && len(f.Body) > 0:
			code = f.Body[0]
		}
	}
}
