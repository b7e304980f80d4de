package abuse

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"edged/test/await"
	"edged/test/rawmqtt"
)

// want is what has to become of the connection.
type want int

const (
	ends    want = iota // it is closed
	refused             // it is closed, or the answer says no
	stays               // it is served further
	either              // the specification leaves it open, or is wiser than brokers are
)

// patience is how long the broker may take for its verdict, and brief how long abusers wait who do not care.
const (
	patience = await.Patience
	brief    = 4 * time.Second
)

// bad is a case: byte sequences of one idea, each sent on a connection of its own.
type bad struct {
	name  string
	v5    bool
	first bool            // tries are sent in place of a CONNECT; otherwise after login
	login rawmqtt.Connect // its V5 is set from v5, its ID if it is empty
	tries [][]byte
	hint  []string // what a try is, if its bytes do not say it
	cut   bool     // the client sends no more after it (FIN)
	want  want
	codes string // reason codes of MQTT 5 allowed besides 0x81 and 0x82
	free  bool   // no DISCONNECT is expected before the end
}

// try sends one byte sequence and says what the broker did wrong, if anything.
func (b bad) try(addr string, bytes []byte) error {
	c, err := net.DialTimeout("tcp", addr, patience)
	if err != nil {
		return err
	}
	w := rawmqtt.Over(c, b.v5)
	defer w.Drop()
	if !b.first {
		if err := b.enter(w); err != nil {
			return fmt.Errorf("login: %w", err)
		}
	}
	_ = w.SetWriteDeadline(time.Now().Add(patience))
	_, _ = w.Write(bytes) // the broker may have closed the connection on the first half of it
	if b.cut {
		_ = c.(*net.TCPConn).CloseWrite()
	}
	if !b.first {
		_, _ = w.Write([]byte{0xC0, 0}) // shows at once that the connection goes on
	}
	return b.judge(listen(w, b))
}

func (b bad) enter(w *rawmqtt.Client) error {
	o := b.login
	o.V5 = b.v5
	if o.ID == "" {
		o.ID = "bad"
	}
	if _, err := w.Write(o.Bytes()); err != nil {
		return err
	}
	ack, err := w.TryRead(patience)
	if err == nil && (ack.Kind != 0x20 || len(ack.Body) < 2 || ack.Body[1] != 0) {
		err = fmt.Errorf("%v", ack)
	}
	return err
}

// answer is what the broker did.
type answer struct {
	ended  bool   // otherwise it still served
	silent bool   // nothing came in time
	bye    []byte // reason code of DISCONNECT, or of a CONNACK that refuses
	said   bool   // DISCONNECT, whatever is in it
	no     bool   // an acknowledgement with a negative reason code
	hello  bool   // CONNACK 0
}

// listen reads until the broker ends the connection, or shows that it goes on: PINGRESP, or CONNACK in place of it.
func listen(w *rawmqtt.Client, b bad) (a answer) {
	for {
		f, err := w.TryRead(patience)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			a.silent = true
			return a
		case err != nil:
			a.ended = true
			return a
		}
		switch f.Kind {
		case 0x20:
			if len(f.Body) > 1 && f.Body[1] != 0 {
				a.bye = f.Body[1:2]
			} else {
				a.hello = true
				return a
			}
		case 0xE0:
			if a.said = true; len(f.Body) > 0 {
				a.bye = f.Body[:1]
			} else {
				a.bye = []byte{0}
			}
		case 0xD0:
			return a
		case 0x40, 0x50, 0x70:
			a.no = a.no || f.Code() >= 0x80
		case 0x90, 0xB0:
			if n := len(f.Body); n > 2 {
				a.no = a.no || f.Body[n-1] >= 0x80
			}
		}
	}
}

// judge compares it with what is wanted.
func (b bad) judge(a answer) error {
	switch {
	case a.said && !b.v5:
		return errors.New("a client of MQTT 3 got a DISCONNECT, which servers do not send there")
	case a.silent:
		return fmt.Errorf("neither an answer nor an end within %v", patience)
	case b.want == ends && a.hello:
		return errors.New("the connection was accepted")
	case b.want == ends && !a.ended:
		return errors.New("the connection went on")
	case b.want == refused && !a.ended && !a.no:
		return errors.New("it was not refused")
	case b.want == stays && a.ended:
		return fmt.Errorf("the connection ended (reason %X)", a.bye)
	}
	if !b.v5 || !a.ended || b.free || b.want == either {
		return nil
	}
	if a.bye == nil && (b.first || b.cut) {
		return nil // a server may refuse a CONNECT without a word [MQTT-4.13.1-1], and does not answer who has left
	}
	if allowed := "\x81\x82" + b.codes; a.bye == nil || !strings.Contains(allowed, string(a.bye)) {
		return fmt.Errorf("the reason code of the end is [%X], want one of %X", a.bye, allowed)
	}
	return nil
}
