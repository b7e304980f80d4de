package transport

import (
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/gorilla/websocket"
)

// frames is a WebSocket connection as a stream of bytes (RFC 6455; MQTT 5, 6). Payloads are passed on as they come:
// nothing is kept for a frame's announced length, so frames may have any. Pings are answered while Read is called.
// Frames without a payload, and pings, do not end a Read, so the read deadline limits how many a peer can send.
type frames struct {
	ws   *websocket.Conn
	wire *wire

	// The reading goroutine's.
	message io.Reader // the present one, nil between two
	err     error     // that ended reading
}

// Read returns io.EOF when the peer has ended the connection as it should, or the socket has just ended.
func (f *frames) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for f.err == nil {
		if f.message == nil {
			f.err = f.next()
			continue
		}
		n, err := f.message.Read(p)
		switch {
		case err == io.EOF:
			f.message = nil
		case err != nil:
			f.err = f.end(err)
		}
		if n > 0 {
			return n, nil
		}
	}
	return 0, f.err
}

// next waits for a message. Only binary ones carry MQTT [MQTT-6.0.0-1].
func (f *frames) next() error {
	kind, message, err := f.ws.NextReader()
	switch {
	case err != nil:
		return f.end(err)
	case kind != websocket.BinaryMessage:
		_ = f.sendClose(websocket.CloseUnsupportedData, "MQTT needs binary frames")
		return errors.New("the client sent a WebSocket text frame; MQTT needs binary ones")
	}
	f.message = message
	return nil
}

func (f *frames) end(err error) error {
	var closed *websocket.CloseError
	if errors.As(err, &closed) {
		switch closed.Code {
		case websocket.CloseNormalClosure, websocket.CloseGoingAway, websocket.CloseNoStatusReceived:
			return io.EOF
		case websocket.CloseAbnormalClosure: // the library's, for a socket that ended
		default:
			return fmt.Errorf("the client ended the WebSocket connection with code %d", closed.Code)
		}
	}
	return f.wire.readCause(err)
}

// Write sends one binary frame. After an error the peer has none of it that it can use, and n is 0.
func (f *frames) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if err := f.ws.WriteMessage(websocket.BinaryMessage, p); err != nil {
		return 0, f.wire.cause(err)
	}
	return len(p), nil
}

// CloseWrite sends a close frame, after the frame that is being written.
func (f *frames) CloseWrite() error { return f.sendClose(websocket.CloseNormalClosure, "") }

func (f *frames) sendClose(code int, text string) error {
	err := f.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, text), time.Now().Add(farewell))
	switch {
	case errors.Is(err, websocket.ErrCloseSent):
		return nil
	case err != nil:
		return f.wire.cause(err)
	}
	return nil
}

// Close ends the socket.
func (f *frames) Close() error { return f.wire.Close() }

// LocalAddr implements net.Conn.
func (f *frames) LocalAddr() net.Addr { return f.wire.LocalAddr() }

// RemoteAddr implements net.Conn.
func (f *frames) RemoteAddr() net.Addr { return f.wire.RemoteAddr() }

// SetReadDeadline implements net.Conn.
func (f *frames) SetReadDeadline(t time.Time) error { return f.wire.SetReadDeadline(t) }

// SetWriteDeadline implements net.Conn.
func (f *frames) SetWriteDeadline(t time.Time) error { return f.wire.writeBy(t) }

// SetDeadline implements net.Conn.
func (f *frames) SetDeadline(t time.Time) error {
	return errors.Join(f.SetReadDeadline(t), f.SetWriteDeadline(t))
}
