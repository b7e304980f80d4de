package abuse

import (
	"net"
	"strings"
	"time"

	"edged/test/rawmqtt"
)

// slowWriters send little, or send much and stop.
func slowWriters() []behaviour {
	login := func(a *arena, i int) *rawmqtt.Client {
		return a.try(rawmqtt.Connect{ID: name("slow", i), V5: i%2 == 0})
	}
	big := rawmqtt.Publish{Topic: "site/slow", Payload: strings.Repeat("x", 250<<10)}.Bytes(true)
	return []behaviour{
		{name: "CONNECT byte by byte", do: func(a *arena) {
			var all []*rawmqtt.Client
			for range some(200, 1000) {
				if w := a.bare(); w != nil {
					all = append(all, w)
				}
			}
			drip(all, func(i int) []byte { return hello(i%2 == 0) })
		}},
		{name: "PUBLISH byte by byte", do: func(a *arena) {
			var all []*rawmqtt.Client
			for i := range some(200, 1000) {
				if w := login(a, i); w != nil {
					all = append(all, w)
				}
			}
			drip(all, func(i int) []byte {
				return rawmqtt.Publish{Topic: "site/slow", Payload: strings.Repeat("x", 200), QoS: 1, ID: 1}.Bytes(i%2 == 0)
			})
		}},
		{name: "500 connections announcing 256 MB", do: func(a *arena) {
			crowd(500, func(i int) {
				if w := login(a, i); w != nil {
					_, _ = w.Write(cat(0x30, 0xFF, 0xFF, 0xFF, 0x7F, text("site/slow"), times(1000, 0)))
				}
			})
		}},
		{name: "500 connections announcing 256 MB in CONNECT", do: func(a *arena) {
			crowd(500, func(int) {
				if w := a.bare(); w != nil {
					_, _ = w.Write(cat(0x10, 0xFF, 0xFF, 0xFF, 0x7F, text("MQTT"), 5, 2, 0, 60))
				}
			})
		}},
		{name: "500 packets of 256 KB without their end", do: func(a *arena) {
			crowd(500, func(i int) {
				if w := login(a, i); w != nil {
					_ = w.SetWriteDeadline(time.Now().Add(brief)) // the broker need not take it all
					_, _ = w.Write(big[:200<<10])
				}
			})
		}},
		{name: "500 CONNECTs of 256 KB without their end", do: func(a *arena) {
			o := rawmqtt.Connect{V5: true, Props: times2(rawmqtt.User("k", strings.Repeat("v", 60000)), 4)}.Bytes()
			crowd(500, func(int) {
				if w := a.bare(); w != nil {
					_ = w.SetWriteDeadline(time.Now().Add(brief))
					_, _ = w.Write(o[:200<<10])
				}
			})
		}},
		{name: "half a packet and FIN", do: func(a *arena) {
			crowd(some(300, 3000), func(i int) {
				if w := login(a, i); w != nil {
					_, _ = w.Write(big[:1+i*97%len(big)/8])
					_ = w.Conn.(*net.TCPConn).CloseWrite()
					drain(w, 0, brief)
					w.Drop()
				}
			})
		}},
	}
}

// drip sends each client's bytes one at a time, all clients in turn.
func drip(all []*rawmqtt.Client, what func(i int) []byte) {
	end := time.Now().Add(2 * duration())
	for n := 0; time.Now().Before(end); n++ {
		for i, w := range all {
			if b := what(i); n < len(b)-1 {
				_ = w.SetWriteDeadline(end)
				_, _ = w.Write(b[n : n+1])
			}
		}
	}
}
