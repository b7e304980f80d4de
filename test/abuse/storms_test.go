package abuse

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"edged/test/rawmqtt"
)

// connectStorms are connections that come and go.
func connectStorms() []behaviour {
	storm := func(n int, each func(a *arena, i int)) func(a *arena) {
		return func(a *arena) { crowd(n, func(i int) { each(a, i) }) }
	}
	bare := func(then func(w *rawmqtt.Client)) func(a *arena, i int) {
		return func(a *arena, _ int) {
			if w := a.bare(); w != nil {
				then(w)
			}
		}
	}
	return []behaviour{
		{name: "connections without a byte", do: storm(some(1000, 20000), bare((*rawmqtt.Client).Drop))},
		{name: "connections with half a CONNECT", do: storm(some(2000, 20000), bare(func(w *rawmqtt.Client) { _, _ = w.Write(hello(true)[:9]); w.Drop() }))},
		{name: "CONNECT, and gone before CONNACK", do: storm(some(2000, 20000), bare(func(w *rawmqtt.Client) { _, _ = w.Write(hello(true)); w.Drop() }))},
		{name: "connect and disconnect", do: storm(some(1000, 10000), func(a *arena, i int) {
			if w := a.try(rawmqtt.Connect{ID: name("short", i), V5: i%2 == 0}); w != nil {
				_, _ = w.Write([]byte{0xE0, 0})
				w.Drop()
			}
		})},
		{name: "connect without an identifier", do: storm(some(1000, 10000), func(a *arena, i int) {
			if w := a.try(rawmqtt.Connect{V5: i%2 == 0}); w != nil {
				w.Drop()
			}
		})},
		{name: "wills of everybody at once", do: storm(some(500, 4000), func(a *arena, i int) {
			if w := a.try(rawmqtt.Connect{ID: name("will", i), Will: fmt.Sprint("site/will/", i), WillQoS: byte(i % 3), V5: i%2 == 0}); w != nil {
				w.Drop()
			}
		})},
		{name: "more connections than there may be", do: func(a *arena) { // max_connections is 4096
			room := "where there is room again"
			crowd(5000, func(int) { a.bare() })
			a.leave()
			end := time.Now().Add(patience)
			for ; ; time.Sleep(10 * time.Millisecond) {
				if w := a.try(rawmqtt.Connect{ID: "room"}); w != nil {
					return
				}
				if time.Now().After(end) {
					a.Errorf("nobody gets in %s", room)
					return
				}
			}
		}},
		{name: "thousands of connections that stay silent", do: func(a *arena) {
			crowd(some(1000, 3500), func(i int) { a.try(rawmqtt.Connect{ID: name("idle", i), V5: i%2 == 0}) })
		}},
		{name: "delayed wills of everybody", do: storm(some(500, 4000), func(a *arena, i int) {
			if w := a.try(rawmqtt.Connect{ID: name("later", i), Will: fmt.Sprint("site/will/", i), WillPayload: string(times(10000, 'w')), WillQoS: 1, V5: true,
				Props: rawmqtt.U32(0x11, 1), WillProps: rawmqtt.U32(0x18, 1)}); w != nil {
				w.Drop()
			}
		})},
	}
}

// takeovers are clients that fight for one identifier.
func takeovers() (out []behaviour) {
	fight := func(name string, o rawmqtt.Connect, while func(w *rawmqtt.Client)) {
		out = append(out, behaviour{name: "50 fight for one identifier: " + name, do: func(a *arena) {
			end := time.Now().Add(duration())
			var mu sync.Mutex
			var last []*rawmqtt.Client
			var lives atomic.Int64
			crowd(50, func(i int) {
				for time.Now().Before(end) {
					o := o
					if o.V5 == (i%2 == 0) { // the versions fight each other too
						o.V5, o.Props, o.WillProps = false, nil, nil
					}
					w, _, err := rawmqtt.Reach(a.addr, o)
					if err != nil {
						continue // taken over before CONNACK
					}
					lives.Add(1)
					while(a.keep(w))
					mu.Lock()
					last = append(last, w)
					mu.Unlock()
				}
			})
			if lives.Load() < 50 {
				a.Errorf("%d connections: there was no fight", lives.Load())
			}
			w := a.enter(o)
			if w == nil {
				return
			}
			for _, x := range last {
				drainEnd(a, x)
			}
			_, _ = w.Write([]byte{0xC0, 0})
			if _, err := w.Want(0xD0); err != nil {
				a.Errorf("the last one of all does not stay: %v", err)
			}
		}, clear: func(a *arena) {
			if w := a.try(rawmqtt.Connect{ID: o.ID}); w != nil {
				w.Drop()
			}
		}})
	}
	for _, keep := range []bool{false, true} {
		kind := "clean"
		o := rawmqtt.Connect{ID: "one", V5: true}
		if keep {
			kind, o.Keep, o.Props = "persistent", true, rawmqtt.U32(0x11, 60)
		}
		fight(kind, o, func(*rawmqtt.Client) {})
		fight(kind+", publishing", o, func(w *rawmqtt.Client) {
			var b []byte
			for n := range 20 {
				b = append(b, rawmqtt.Publish{Topic: "site/fight", QoS: byte(1 + n%2), ID: uint16(n + 1), Payload: "x"}.Bytes(w.V5)...)
			}
			_, _ = w.Write(b)
		})
		fight(kind+", subscribing to each other", o, func(w *rawmqtt.Client) {
			_, _ = w.Write(cat(rawmqtt.Subscribe(w.V5, 1, "site/fight", 2), rawmqtt.Publish{Topic: "site/fight", QoS: 2, ID: 9, Payload: "x"}.Bytes(w.V5)))
		})
		o.Will, o.WillQoS = "site/fight/will", 1
		fight(kind+", with wills", o, func(*rawmqtt.Client) {})
		if keep {
			o.WillProps = rawmqtt.U32(0x18, 1)
			fight(kind+", with delayed wills", o, func(*rawmqtt.Client) {})
		}
	}
	return out
}

// drainEnd checks that the broker has ended a connection.
func drainEnd(a *arena, w *rawmqtt.Client) {
	if v := listen(w, bad{v5: w.V5, want: ends, first: true}); v.silent {
		a.Errorf("a connection that was taken over is still open")
	}
}
