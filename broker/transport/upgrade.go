package transport

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gorilla/websocket"
)

const (
	maxRequest = 8 << 10 // of an upgrade, with its headers
	maxRest    = 64 << 10
	// readChunk is what a connection holds to read frames' headers; payloads go past it when a Read has more room.
	readChunk = 1 << 10
	// writeChunk is a buffer of the listener's pool: a frame that fits goes out with its header in one piece.
	writeChunk = 4 << 10
)

// subprotocols are what clients may offer [MQTT-6.0.0-3]: the registered name, and that of version 3.1.
var subprotocols = []string{"mqtt", "mqttv3.1"}

// refusal is an answer to a request that is no upgrade to MQTT.
type refusal struct {
	status int
	text   string
}

func (r *refusal) Error() string { return fmt.Sprintf("answered %d: %s", r.status, r.text) }

// upgrade reads the client's request and answers it (RFC 6455, 4.2). c has the deadline already.
func (l *Listener) upgrade(c stream, deadline time.Time) (*frames, error) {
	w := newWire(c)
	limited := &io.LimitedReader{R: w, N: maxRequest}
	br := bufio.NewReaderSize(limited, readChunk)
	r, err := http.ReadRequest(br)
	if err != nil {
		return nil, unreadable(w, limited, deadline)
	}
	if no := l.refuse(r); no != nil {
		return nil, answer(c, no, deadline)
	}
	var no *refusal
	u := websocket.Upgrader{
		ReadBufferSize: readChunk, WriteBufferSize: writeChunk, WriteBufferPool: &l.buffers,
		Subprotocols: subprotocols,
		CheckOrigin:  func(*http.Request) bool { return true }, // see refuse
		Error: func(_ http.ResponseWriter, _ *http.Request, status int, reason error) {
			no = &refusal{status, reason.Error()}
		},
	}
	ws, err := u.Upgrade(&hijack{w, br}, r, nil)
	switch {
	case no != nil:
		return nil, answer(c, no, deadline)
	case err != nil:
		return nil, w.cause(err)
	}
	return &frames{ws: ws, wire: w}, nil
}

// unreadable answers a request that is too long or no HTTP. A peer that went away or is too slow gets no answer; what the
// parser says of half a line is not looked at.
func unreadable(w *wire, limited *io.LimitedReader, deadline time.Time) error {
	switch err := w.readCause(nil); {
	case limited.N <= 0:
		return answer(w.stream, &refusal{http.StatusRequestHeaderFieldsTooLarge, fmt.Sprintf("the request has more than %d bytes", maxRequest)}, deadline)
	case err != nil:
		return err
	}
	return answer(w.stream, &refusal{http.StatusBadRequest, "this is not HTTP"}, deadline)
}

// refuse says what this port wants beyond what RFC 6455 does; nil if the request has it.
func (l *Listener) refuse(r *http.Request) *refusal {
	r.Header.Set("Sec-WebSocket-Protocol", strings.Join(r.Header.Values("Sec-WebSocket-Protocol"), ",")) // may be several (RFC 6455, 11.3.4)
	origin := r.Header.Get("Origin")
	offered := websocket.Subprotocols(r)
	switch {
	case !websocket.IsWebSocketUpgrade(r):
		return &refusal{http.StatusUpgradeRequired, "this port is for MQTT over WebSocket: there are no pages here, only MQTT clients can use it"}
	case l.address.Path != "" && r.URL.Path != l.address.Path:
		return &refusal{http.StatusNotFound, "MQTT is not at this path: correct the path in the client, or under listen in [broker]"}
	case origin != "" && len(l.options.Origins) > 0 && !slices.ContainsFunc(l.options.Origins, func(o string) bool { return strings.EqualFold(o, origin) }):
		return &refusal{http.StatusForbidden, fmt.Sprintf("pages from %.100q may not connect: they are not among the allowed origins", origin)}
	case !slices.ContainsFunc(subprotocols, func(p string) bool { return slices.Contains(offered, p) }):
		return &refusal{http.StatusBadRequest, `the WebSocket client has to offer the subprotocol "mqtt" (the header Sec-WebSocket-Protocol)`}
	}
	return nil
}

// answer sends a refusal, and returns it. It stays a moment for the rest of the request: a socket that is closed with
// something unread takes back what it has sent (RFC 1122, 4.2.2.13).
func answer(c stream, no *refusal, deadline time.Time) error {
	text := no.text + "\n"
	r := &http.Response{StatusCode: no.status, ProtoMajor: 1, ProtoMinor: 1, Close: true, ContentLength: int64(len(text)),
		Header: http.Header{"Content-Type": {"text/plain; charset=utf-8"}, "Sec-Websocket-Version": {"13"}},
		Body:   io.NopCloser(strings.NewReader(text))}
	if no.status == http.StatusUpgradeRequired {
		r.Header.Set("Connection", "Upgrade")
		r.Header.Set("Upgrade", "websocket")
	}
	w := bufio.NewWriter(c)
	if r.Write(w) == nil && w.Flush() == nil && c.CloseWrite() == nil {
		if soon := time.Now().Add(farewell); soon.Before(deadline) {
			_ = c.SetReadDeadline(soon)
		}
		_, _ = io.CopyN(io.Discard, c, maxRest)
	}
	return no
}

// hijack is the http.ResponseWriter of a request that was read without a server; only its connection is asked for.
type hijack struct {
	w  *wire
	br *bufio.Reader
}

func (h *hijack) Header() http.Header         { return http.Header{} }
func (h *hijack) Write(b []byte) (int, error) { return len(b), nil }
func (h *hijack) WriteHeader(int)             {}

// Hijack implements http.Hijacker. Of the reader gorilla only wants to know that nothing is in it.
func (h *hijack) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return h.w, bufio.NewReadWriter(h.br, bufio.NewWriterSize(h.w, 512)), nil
}
