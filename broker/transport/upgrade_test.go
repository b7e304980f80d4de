package transport

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"edged/test/await"

	"github.com/gorilla/websocket"
)

const upgrade = "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"

func TestRequestsThatAreRefused(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		request string
		status  int
		say     string
	}{
		{"GET /index.html HTTP/1.1\r\nHost: a\r\n\r\n", 426, "MQTT over WebSocket"},
		{"GET /mqtt HTTP/1.1\r\n" + upgrade + "\r\n", 400, `subprotocol "mqtt"`},
		{"GET /mqtt HTTP/1.1\r\n" + upgrade + "Sec-WebSocket-Protocol: chat, MQTT\r\n\r\n", 400, `subprotocol "mqtt"`},
		{"GET /other HTTP/1.1\r\n" + upgrade + "Sec-WebSocket-Protocol: mqtt\r\n\r\n", 404, "not at this path"},
		{"GET /mqtt HTTP/1.1\r\n" + upgrade + "Sec-WebSocket-Protocol: mqtt\r\nOrigin: https://evil.example\r\n\r\n", 403, "evil.example"},
		{"POST /mqtt HTTP/1.1\r\n" + upgrade + "Sec-WebSocket-Protocol: mqtt\r\n\r\n", 405, "not GET"},
		{"GET /mqtt HTTP/1.1\r\n" + strings.Replace(upgrade, "13", "8", 1) + "Sec-WebSocket-Protocol: mqtt\r\n\r\n", 400, "version"},
		{"GET /mqtt HTTP/1.1\r\n" + upgrade + "Cookie: " + strings.Repeat("x", 40<<10) + "\r\n\r\n", 431, "8192 bytes"},
		{"\x16\x03\x01 hello\r\n", 400, "not HTTP"},
	} {
		s := serve(t, "ws://127.0.0.1:0/mqtt", Options{Origins: []string{"https://panel.example"}}, await.Patience)
		status, body, header := s.request(t, x.request)
		if status != x.status || !strings.Contains(body, x.say) {
			t.Errorf("%.60q: %d, %q", x.request, status, body)
		}
		if status == 426 && header.Get("Upgrade") != "websocket" {
			t.Errorf("%v", header)
		}
		if err := s.failure(t); !strings.Contains(err.Error(), x.say) {
			t.Error(err)
		}
	}
}

func TestRequestsThatAreAccepted(t *testing.T) {
	t.Parallel()
	for _, x := range []struct{ path, request, protocol string }{
		{"", "GET /anything?at=all HTTP/1.1\r\n" + upgrade + "Sec-WebSocket-Protocol: mqtt\r\n", "mqtt"},
		{"/mqtt", "GET /mqtt HTTP/1.1\r\n" + upgrade + "Sec-WebSocket-Protocol: chat, mqttv3.1\r\n", "mqttv3.1"},
		{"", "GET / HTTP/1.1\r\n" + upgrade + "Sec-WebSocket-Protocol: mqttv3.1\r\nSec-WebSocket-Protocol: mqtt\r\n", "mqtt"},
		{"", "GET / HTTP/1.1\r\n" + upgrade + "Sec-WebSocket-Protocol: mqtt\r\nOrigin: HTTPS://panel.example\r\n", "mqtt"},
		{"", "GET / HTTP/1.1\r\n" + upgrade + "Sec-WebSocket-Protocol: mqtt\r\nSec-WebSocket-Extensions: permessage-deflate\r\n", "mqtt"},
	} {
		s := serve(t, "ws://127.0.0.1:0"+x.path, Options{Origins: []string{"https://panel.example"}}, await.Patience)
		go func() { _ = (<-s.conns).Close() }()
		c, err := net.Dial("tcp", s.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(c, x.request+"\r\n")
		all, err := io.ReadAll(c)
		if err != nil {
			t.Fatal(err)
		}
		r, err := http.ReadResponse(newReader(all), nil)
		if err != nil || r.StatusCode != 101 || r.Header.Get("Sec-WebSocket-Protocol") != x.protocol || r.Header.Get("Sec-WebSocket-Extensions") != "" {
			t.Errorf("%.60q: %v, %v", x.request, r, err)
		}
		_ = c.Close()
	}
	open := webServer(t) // without Origins every page may
	d := websocket.Dialer{Subprotocols: []string{"mqtt"}}
	ws, _, err := d.Dial(open.url(), http.Header{"Origin": {"https://anywhere.example"}})
	if err != nil {
		t.Fatal(err)
	}
	defer ws.Close()
	open.conn(t)
}
