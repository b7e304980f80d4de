package abuse

import (
	"edged/test/rawmqtt"
)

// firstCases are about what comes before a CONNECT, in place of it, and around it.
func firstCases() (out []bad) {
	add := func(name string, w want, tries ...[]byte) {
		out = append(out, bad{name: "first: " + name, first: true, want: w, tries: tries})
	}
	add("HTTP", ends, []byte("GET / HTTP/1.1\r\nHost: example\r\n\r\n"), []byte("POST /x HTTP/1.0\r\nContent-Length: 5\r\n\r\nhello"))
	add("a WebSocket", ends, []byte("GET /mqtt HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGVzdA==\r\nSec-WebSocket-Version: 13\r\n\r\n"))
	add("TLS", ends, cat(0x16, 3, 1, 2, 0, 1, 0, 1, 0xFC, 3, 3, times(500, 0x5A)))
	add("SSH", ends, []byte("SSH-2.0-OpenSSH_9.2\r\n"))
	add("Redis, SMTP, SIP", ends, []byte("*1\r\n$4\r\nPING\r\n"), []byte("EHLO x\r\n"), []byte("OPTIONS sip:x SIP/2.0\r\n\r\n"))
	add("zeros", ends, times(64<<10, 0))
	add("ones", ends, times(64<<10, 0xFF))
	add("line ends", ends, times(1000, '\n'))
	for _, s := range samples(false) {
		add(s.name+" before CONNECT", ends, s.bytes)
	}
	for _, s := range samples(true) {
		add(s.name+" of MQTT 5 before CONNECT", ends, s.bytes)
	}
	for _, b := range []byte{0x20, 0x90, 0xB0, 0xD0} {
		add("a server's packet "+string("0123456789ABCDEF"[b>>4])+" before CONNECT", ends, pack(b, id(1), 0))
	}
	var flags [][]byte
	for f := range 15 {
		b := hello(false)
		b[0] |= byte(f + 1)
		flags = append(flags, b)
	}
	add("flags of CONNECT", ends, flags...)
	add("CONNECT announcing 256 MB", ends, []byte{0x10, 0xFF, 0xFF, 0xFF, 0x7F}, cat(0x10, 0xFF, 0xFF, 0xFF, 0x7F, text("MQTT"), 4, 2), cat(0x10, 0xFF, 0xFF, 0xFF, 0x7F, text("MQTT"), 5, 2, times(64<<10, 0)))
	add("CONNECT with a length of five bytes", ends, cat(0x10, 0x80, 0x80, 0x80, 0x80, 1))
	add("CONNECT without a body", ends, []byte{0x10, 0})
	add("an empty connection", ends)
	out[len(out)-1].tries, out[len(out)-1].cut = [][]byte{nil}, true
	add("half a CONNECT and then nothing", ends, hello(false)[:7], hello(true)[:20]) // connect_timeout

	twice := func(v5 bool) [][]byte {
		return [][]byte{rawmqtt.Connect{ID: "bad", V5: v5}.Bytes(), rawmqtt.Connect{ID: "other", V5: v5}.Bytes(), rawmqtt.Connect{V5: !v5}.Bytes(), {0x10, 0}, hello(v5)}
	}
	out = append(out, both(bad{name: "a second CONNECT"}, twice)...)
	out = append(out, both(bad{name: "two CONNECTs in one write", first: true, want: either}, func(v5 bool) [][]byte {
		return [][]byte{cat(hello(v5), hello(v5)), times2(hello(v5), 1000)}
	})...)
	out = append(out, both(bad{name: "CONNECT and PUBLISH in one write", first: true, want: stays}, func(v5 bool) [][]byte {
		return [][]byte{cat(rawmqtt.Connect{ID: "bad", V5: v5}.Bytes(), rawmqtt.Publish{Topic: "site/x", QoS: 1, ID: 1}.Bytes(v5), []byte{0xC0, 0})}
	})...)
	out = append(out, both(bad{name: "CONNECT and a CONNACK in one write", first: true, want: either}, func(v5 bool) [][]byte {
		return [][]byte{cat(rawmqtt.Connect{ID: "bad", V5: v5}.Bytes(), []byte{0x20, 2, 0, 0})}
	})...)
	out = append(out, both(bad{name: "CONNECT and DISCONNECT in one write", first: true, want: either}, func(v5 bool) [][]byte {
		return [][]byte{cat(hello(v5), []byte{0xE0, 0})}
	})...)
	return out
}

func times2(b []byte, n int) (out []byte) {
	for range n {
		out = append(out, b...)
	}
	return out
}
