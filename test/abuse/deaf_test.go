package abuse

import (
	"fmt"
	"net"
	"strings"
	"time"

	"edged/test/rawmqtt"
)

// deafSubscribers subscribe to a busy topic and do not read, do not acknowledge, or ask for more than there is.
func deafSubscribers() []behaviour {
	var out []behaviour
	for qos := range byte(3) {
		out = append(out, behaviour{name: fmt.Sprintf("subscribers of QoS %d that never read", qos), do: func(a *arena) {
			for i := range some(20, 100) {
				if w := a.enter(rawmqtt.Connect{ID: name("deaf", i), V5: i%2 == 0}); w != nil {
					_ = w.Conn.(*net.TCPConn).SetReadBuffer(4 << 10)
					_ = w.Ask(1, "site/busy/#", qos)
				}
			}
			busy(a, qos, strings.Repeat("x", 4<<10))
		}})
	}
	for _, qos := range []byte{1, 2} {
		out = append(out, behaviour{name: fmt.Sprintf("subscribers of QoS %d that never acknowledge", qos), do: func(a *arena) {
			for i := range some(20, 100) {
				if w := a.enter(rawmqtt.Connect{ID: name("mute", i), V5: i%2 == 0, Keep: i%4 < 2}); w != nil {
					_ = w.Ask(1, "site/busy/#", qos)
					go drain(w, 0, time.Minute)
				}
			}
			busy(a, qos, strings.Repeat("x", 100))
		}, clear: func(a *arena) { forget(a, "mute", some(20, 100)) }})
	}
	return append(out,
		behaviour{name: "PUBREC and never PUBCOMP", do: func(a *arena) {
			for i := range some(5, 50) {
				w := a.enter(rawmqtt.Connect{ID: name("half", i), V5: true})
				if w == nil {
					return
				}
				_ = w.Ask(1, "site/busy/#", 2)
				go func() {
					for end := time.Now().Add(time.Minute); ; {
						f, err := w.TryRead(time.Until(end))
						if err != nil {
							return
						}
						if m, ok := f.Message(); ok {
							_, _ = w.Write(rawmqtt.Ack(0x50, m.ID))
						}
					}
				}()
			}
			busy(a, 2, "x")
		}},
		behaviour{name: "subscribers that read a byte at a time", do: func(a *arena) {
			for i := range some(20, 100) {
				w := a.enter(rawmqtt.Connect{ID: name("sip", i), V5: i%2 == 0})
				if w == nil {
					return
				}
				_ = w.Conn.(*net.TCPConn).SetReadBuffer(4 << 10)
				_ = w.Ask(1, "site/busy/#", byte(i%2))
				go func() {
					for b := make([]byte, 1); ; time.Sleep(time.Millisecond) {
						if _, err := w.Conn.Read(b); err != nil {
							return
						}
					}
				}()
			}
			busy(a, 1, strings.Repeat("x", 4<<10))
		}},
		behaviour{name: "receive maximum 1 and packets of 20 bytes", do: func(a *arena) {
			for i := range some(20, 100) {
				if w := a.enter(rawmqtt.Connect{ID: name("tiny", i), V5: true, Props: cat(rawmqtt.U16(0x21, 1), rawmqtt.U32(0x27, 20))}); w != nil {
					_ = w.Ask(1, "site/busy/#", byte(i%3))
				}
			}
			busy(a, 2, "x")
		}},
		behaviour{name: "a hundred filters for each message", do: func(a *arena) {
			for i := range some(5, 20) {
				w := a.enter(rawmqtt.Connect{ID: name("wide", i), V5: true})
				if w == nil {
					return
				}
				for n := range 100 {
					filter := []string{"site/busy/#", "site/#", "#", "+/busy/+", "site/+/+", "+/+/+"}[n%6]
					_, _ = w.Write(pack(0x82, id(1), props(cat(0x0B, 1+n)), text(filter), 1))
				}
				go drain(w, 0, time.Minute)
			}
			busy(a, 0, "x")
		}},
		behaviour{name: "retained flood and subscribers for everything", do: func(a *arena) {
			w := a.enter(rawmqtt.Connect{ID: "retain"})
			if w == nil {
				return
			}
			go drain(w, 0, time.Minute)
			for n := range some(3000, 20000) { // max_retained is 10,000
				_, _ = w.Write(rawmqtt.Publish{Topic: fmt.Sprint("site/kept/", n), Payload: strings.Repeat("r", 100), Retain: true}.Bytes(false))
			}
			crowd(some(20, 200), func(i int) {
				if w := a.try(rawmqtt.Connect{ID: name("all", i), V5: true}); w != nil {
					for range 5 {
						_, _ = w.Write(rawmqtt.Subscribe(true, 1, "#", byte(i%3)))
					}
				}
			})
		}, clear: func(a *arena) {
			if w := a.enter(rawmqtt.Connect{ID: "retain"}); w != nil {
				for n := range some(3000, 20000) {
					_, _ = w.Write(rawmqtt.Publish{Topic: fmt.Sprint("site/kept/", n), Retain: true}.Bytes(false))
				}
				_, _ = w.Write([]byte{0xC0, 0})
				_, _ = w.Want(0xD0)
				w.Drop()
			}
		}})
}

// busy publishes to site/busy for the time of a flood, and reads what it is told.
func busy(a *arena, qos byte, payload string) {
	w := a.enter(rawmqtt.Connect{ID: "busy"})
	if w == nil {
		return
	}
	go func() {
		for {
			f, err := w.TryRead(time.Minute)
			if err != nil {
				return
			}
			if f.Kind == 0x50 {
				_, _ = w.Write(rawmqtt.Ack(0x62, f.ID()))
			}
		}
	}()
	flood(w, duration(), func(i int) []byte {
		return rawmqtt.Publish{Topic: fmt.Sprint("site/busy/", i%10), Payload: payload, QoS: qos, ID: uint16(i%65535 + 1)}.Bytes(false)
	})
}

// forget ends the sessions of clients.
func forget(a *arena, kind string, n int) {
	crowd(n, func(i int) {
		if w := a.try(rawmqtt.Connect{ID: name(kind, i)}); w != nil {
			_, _ = w.Write([]byte{0xE0, 0})
			_ = drain(w, 0, brief)
		}
	})
	a.leave()
}
