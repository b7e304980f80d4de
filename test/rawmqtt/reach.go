package rawmqtt

import (
	"bufio"
	"fmt"
	"net"
	"time"
)

// What is in this file returns errors where the rest fails the test: for goroutines, which must not, and for servers that
// may refuse. A client made here has no T; of the older methods it has TryRead only.

// Over makes such a client of a connection. The caller closes it.
func Over(c net.Conn, v5 bool) *Client { return &Client{Conn: c, V5: v5, r: bufio.NewReader(c)} }

// Reach dials and logs in. The caller closes the client. An error of the last kind has the CONNACK.
func Reach(addr string, o Connect) (w *Client, ack Frame, err error) {
	c, err := net.DialTimeout("tcp", addr, Patience)
	if err != nil {
		return nil, ack, err
	}
	w = Over(c, o.V5)
	_ = w.SetWriteDeadline(time.Now().Add(Patience))
	if _, err = w.Write(o.Bytes()); err == nil {
		ack, err = w.TryRead(Patience)
	}
	_ = w.SetWriteDeadline(time.Time{})
	if err == nil && (ack.Kind != 0x20 || len(ack.Body) < 2 || ack.Body[1] != 0) {
		err = fmt.Errorf("want CONNACK 0, have %v", ack)
	}
	if err != nil {
		w.Drop()
		return nil, ack, err
	}
	return w, ack, nil
}

// Want reads until a packet of a kind comes, and returns it. What comes before it is lost.
func (w *Client) Want(kind byte) (Frame, error) {
	for {
		if f, err := w.TryRead(Patience); err != nil || f.Kind == kind {
			return f, err
		}
	}
}

// Ask subscribes to a filter and waits for the SUBACK, whatever it says.
func (w *Client) Ask(id uint16, filter string, options byte) error {
	if _, err := w.Write(Subscribe(w.V5, id, filter, options)); err != nil {
		return err
	}
	_, err := w.Want(0x90)
	return err
}

// Drop ends the connection with a reset, which leaves no port of ours waiting.
func (w *Client) Drop() {
	if c, ok := w.Conn.(*net.TCPConn); ok {
		_ = c.SetLinger(0)
	}
	_ = w.Close()
}

// Property returns the value of a two-byte property of a CONNACK of MQTT 5. It looks for one that is not inside another's
// value, so that it knows the properties that a CONNACK can have (3.2.2.3).
func (f Frame) Property(p byte) (n uint16, ok bool) {
	if len(f.Body) < 3 {
		return 0, false
	}
	for b := f.Body[3:]; len(b) > 2; { // a CONNACK of 128 bytes and more is not looked into
		size := 0
		switch b[0] {
		case 0x24, 0x25, 0x28, 0x29, 0x2A:
			size = 1
		case 0x13, 0x21, 0x22:
			size = 2
		case 0x11, 0x27:
			size = 4
		case 0x26:
			key := 2 + int(b[1])<<8 + int(b[2])
			if len(b) < 1+key+2 {
				return 0, false
			}
			size = key + 2 + int(b[1+key])<<8 + int(b[2+key])
		default:
			size = 2 + int(b[1])<<8 + int(b[2])
		}
		if len(b) < 1+size {
			return 0, false
		}
		if b[0] == p && size == 2 {
			return uint16(b[1])<<8 | uint16(b[2]), true
		}
		b = b[1+size:]
	}
	return 0, false
}
