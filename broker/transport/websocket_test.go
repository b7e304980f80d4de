package transport

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"edged/test/await"

	"github.com/gorilla/websocket"
)

// raw connects a client whose frames the test writes itself.
func (s *server) raw(t *testing.T) (net.Conn, *Conn) {
	t.Helper()
	ws := s.webSocket(t, nil)
	return ws.NetConn(), s.conn(t)
}

// frame makes one of a client. The mask is zero, which masks nothing.
func frame(first byte, announced uint64, payload string) []byte {
	b := []byte{first}
	switch {
	case announced < 126:
		b = append(b, 0x80|byte(announced))
	case announced <= 0xffff:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(announced))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), announced)
	}
	return append(append(b, 0, 0, 0, 0), payload...)
}

const (
	more   = 0x00 // continuation, not the last
	text   = 0x81
	begun  = 0x02 // binary, not the last
	whole  = 0x82
	last   = 0x80
	pinged = 0x89
)

func webServer(t *testing.T) *server {
	return serve(t, "ws://127.0.0.1:0", Options{}, await.Patience)
}

// TestFramesMeanNothing: what they carry is one stream, however it is cut, with control frames and empty ones between.
func TestFramesMeanNothing(t *testing.T) {
	t.Parallel()
	peer, c := webServer(t).raw(t)
	var stream []byte
	for _, f := range [][]byte{
		frame(whole, 5, "joine"), frame(whole, 0, ""), frame(begun, 1, "d"), frame(pinged, 2, "hi"), frame(more, 0, ""),
		frame(more, 3, " an"), frame(last, 2, "d "), frame(whole, 3, "cut"),
	} {
		stream = append(stream, f...)
	}
	go func() {
		for _, b := range stream { // also frames' headers come in pieces
			_, _ = peer.Write([]byte{b})
		}
	}()
	hear(t, c, "joined and cut")
	hear(t, peer, "\x8a\x02hi") // the pong
}

// TestAnAnnouncedLengthCostsNothing: a frame of exabytes is passed on as it comes.
func TestAnAnnouncedLengthCostsNothing(t *testing.T) {
	t.Parallel()
	peer, c := webServer(t).raw(t)
	if _, err := peer.Write(frame(whole, 1<<62, "first")); err != nil {
		t.Fatal(err)
	}
	hear(t, c, "first")
	say(t, peer, c, strings.Repeat("and more", 1000))
	_ = peer.Close()
	if n, err := c.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("%d, %v", n, err)
	}
}

// TestFramesThatEndTheConnection, each with the code that the client gets.
func TestFramesThatEndTheConnection(t *testing.T) {
	t.Parallel()
	unmasked := []byte{whole, 1, 'x'}
	for name, x := range map[string]struct {
		send []byte
		code int
		say  string
	}{
		"text":                {frame(text, 2, "hi"), websocket.CloseUnsupportedData, "text frame"},
		"empty text":          {frame(text, 0, ""), websocket.CloseUnsupportedData, "text frame"},
		"no mask":             {unmasked, websocket.CloseProtocolError, "MASK"},
		"compressed":          {frame(whole|0x40, 1, "x"), websocket.CloseProtocolError, "RSV1"},
		"unknown":             {frame(0x83, 1, "x"), websocket.CloseProtocolError, "opcode"},
		"long ping":           {frame(pinged, 126, strings.Repeat("x", 126)), websocket.CloseProtocolError, "control"},
		"continues nothing":   {frame(more, 1, "x"), websocket.CloseProtocolError, "continuation"},
		"closes with a cause": {frame(0x88, 2, "\x03\xf3"), 1011, "code 1011"},
	} {
		s := webServer(t)
		ws := s.webSocket(t, nil)
		c := s.conn(t)
		if _, err := ws.NetConn().Write(x.send); err != nil {
			t.Fatal(err)
		}
		for range 2 { // it stays ended
			if n, err := c.Read(make([]byte, 10)); n != 0 || err == nil || !strings.Contains(err.Error(), x.say) {
				t.Errorf("%s: %d, %v", name, n, err)
			}
		}
		_ = c.Close()
		_ = ws.SetReadDeadline(time.Now().Add(await.Patience))
		_, _, err := ws.ReadMessage()
		if !websocket.IsCloseError(err, x.code) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestACloseFrameOfTheClientIsTheEnd(t *testing.T) {
	t.Parallel()
	for _, code := range []int{websocket.CloseNormalClosure, websocket.CloseGoingAway, websocket.CloseNoStatusReceived} {
		s := webServer(t)
		ws := s.webSocket(t, nil)
		c := s.conn(t)
		if err := ws.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(code, "")); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Read(make([]byte, 1)); err != io.EOF {
			t.Error(err)
		}
		if _, _, err := ws.ReadMessage(); !websocket.IsCloseError(err, code) {
			t.Errorf("not answered: %v", err)
		}
		if _, err := c.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
	}
}

func TestOneFrameAWrite(t *testing.T) {
	t.Parallel()
	s := webServer(t)
	ws := s.webSocket(t, nil)
	c := s.conn(t)
	for _, n := range []int{1, writeChunk, 100_000} {
		if got, err := c.Write(make([]byte, n)); got != n || err != nil {
			t.Fatal(got, err)
		}
		if got, err := c.Write(nil); got != 0 || err != nil {
			t.Fatal(got, err)
		}
		if kind, m, err := ws.ReadMessage(); kind != websocket.BinaryMessage || len(m) != n || err != nil {
			t.Errorf("%d, %d, %v", kind, len(m), err)
		}
	}
}

// TestAPongAndAWriteHaveDeadlinesOfTheirOwn: the deadline of an earlier Write, long over, does not end the connection
// with the next ping.
func TestAPongAndAWriteHaveDeadlinesOfTheirOwn(t *testing.T) {
	t.Parallel()
	s := webServer(t)
	ws := s.webSocket(t, nil)
	c := s.conn(t)
	_ = c.SetWriteDeadline(time.Now().Add(-time.Second))
	pong := make(chan string, 1)
	ws.SetPongHandler(func(text string) error { pong <- text; return nil })
	if err := ws.WriteControl(websocket.PingMessage, []byte("there?"), time.Now().Add(await.Patience)); err != nil {
		t.Fatal(err)
	}
	say(t, &bytesOver{Conn: ws}, c, "x")
	_ = c.SetWriteDeadline(time.Time{})
	say(t, c, &bytesOver{Conn: ws}, "y")
	if got := <-pong; got != "there?" {
		t.Error(got)
	}
}

// deadlines keeps the write deadline that was set last.
type deadlines struct {
	stream
	last time.Time
}

func (d *deadlines) SetWriteDeadline(t time.Time) error { d.last = t; return nil }

// TestAPongsDeadlineIsNotLeftToTheNextWrite, nor that of a Write taken away by a frame.
func TestAPongsDeadlineIsNotLeftToTheNextWrite(t *testing.T) {
	t.Parallel()
	d := &deadlines{}
	w := newWire(d)
	write, pong := time.Unix(1, 0), time.Unix(2, 0)
	for i, step := range []struct {
		set  func() error
		want time.Time
	}{
		{func() error { return w.writeBy(write) }, write},
		{func() error { return w.SetWriteDeadline(pong) }, pong},
		{func() error { return w.SetWriteDeadline(time.Time{}) }, write},
		{func() error { return w.SetDeadline(time.Time{}) }, write},
		{func() error { return w.writeBy(time.Time{}) }, time.Time{}},
		{func() error { return w.SetWriteDeadline(pong) }, pong},
		{func() error { return w.SetWriteDeadline(time.Time{}) }, time.Time{}},
	} {
		if err := step.set(); err != nil || !d.last.Equal(step.want) {
			t.Errorf("step %d: %v, %v", i, d.last, err)
		}
	}
}
