package rawmqtt

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
)

// Filter is one filter of a SUBSCRIBE with its options.
type Filter struct {
	Name    string
	Options byte
}

// Subscription is a SUBSCRIBE with any number of filters. props are those of MQTT 5, without their length.
func Subscription(v5 bool, id uint16, props []byte, filters ...Filter) []byte {
	b := head(v5, id, props)
	for _, f := range filters {
		b = append(append(b, Text(f.Name)...), f.Options)
	}
	return Packet(0x82, b)
}

// Unsubscription is an UNSUBSCRIBE with any number of filters.
func Unsubscription(v5 bool, id uint16, filters ...string) []byte {
	b := head(v5, id, nil)
	for _, f := range filters {
		b = append(b, Text(f)...)
	}
	return Packet(0xA2, b)
}

func head(v5 bool, id uint16, props []byte) []byte {
	b := binary.BigEndian.AppendUint16(nil, id)
	if v5 {
		b = append(b, Props(props)...)
	}
	return b
}

// Properties are the properties of an MQTT 5 packet. A packet that leaves them out has none.
func (f Frame) Properties() (ps Properties, rest []byte, err error) {
	at := 2
	switch f.Kind {
	case 0x40, 0x50, 0x62, 0x70:
		at = 3
	case 0xE0:
		at = 1
	case 0x30:
		m, _ := f.Message()
		ps, _, err = Parse(Props([]byte(m.Props)))
		return ps, []byte(m.Payload), err
	}
	if !f.V5 || len(f.Body) <= at {
		return nil, nil, nil
	}
	return Parse(f.Body[at:])
}

// Codes are the codes of SUBACK and UNSUBACK.
func (f Frame) Codes() []byte {
	if !f.V5 {
		return f.Body[2:]
	}
	_, codes, _ := f.Properties()
	return codes
}

// Rest reads to the end of the connection. reset says that it did not end properly, by which a client may lose what was sent to it
// before; the test fails if the connection does not end.
func (w *Client) Rest() (frames []Frame, reset bool) {
	w.T.Helper()
	for {
		f, err := w.TryRead(Patience)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			w.T.Fatalf("the connection did not end; there came %.200s", fmt.Sprint(frames))
		case errors.Is(err, syscall.ECONNRESET):
			return frames, true
		case errors.Is(err, io.EOF):
			_ = w.Close()
			return frames, false
		case err != nil:
			w.T.Fatalf("the connection ended with %v, after %v", err, frames)
		}
		frames = append(frames, f)
	}
}
