package abuse

import (
	"fmt"
	"strings"

	"edged/test/rawmqtt"
)

// litter are sessions and subscriptions that nobody comes back for.
func litter() []behaviour {
	leaveBehind := func(kind string, n int, filter func(i int) string) func(a *arena) {
		return func(a *arena) {
			crowd(n, func(i int) {
				o := rawmqtt.Connect{ID: name(kind, i), Keep: true, V5: i%2 == 0}
				if o.V5 {
					o.Props = rawmqtt.U32(0x11, 3600)
				}
				if w := a.enter(o); w != nil {
					_ = w.Ask(1, filter(i), byte(1+i%2))
					w.Drop()
				}
			})
		}
	}
	clear := func(kind string, n int) func(a *arena) { return func(a *arena) { forget(a, kind, n) } }
	own := func(i int) string { return fmt.Sprint("litter/", i, "/+/#") }
	everything := func(int) string { return "site/litter/#" }
	sessions, queues := some(1000, 8000), some(300, 2000)
	return []behaviour{
		{name: "thousands of sessions", do: leaveBehind("gone", sessions, own), clear: clear("gone", sessions)},
		{name: "messages for sessions that are away", do: func(a *arena) {
			leaveBehind("away", queues, everything)(a)
			w := a.enter(rawmqtt.Connect{ID: "writes"})
			if w == nil {
				return
			}
			for n := range some(200, 1000) {
				_, _ = w.Write(rawmqtt.Publish{Topic: "site/litter/x", Payload: strings.Repeat("x", 2000), QoS: 1, ID: uint16(n + 1)}.Bytes(false))
				if _, err := w.Want(0x40); err != nil {
					a.Errorf("publish %d is not acknowledged: %v", n, err)
					return
				}
			}
		}, clear: clear("away", queues)},
		{name: "sessions with all the subscriptions they may have", do: func(a *arena) {
			crowd(some(20, 100), func(i int) {
				w := a.enter(rawmqtt.Connect{ID: name("many", i), Keep: true})
				if w == nil {
					return
				}
				for p := range 10 {
					b := id(uint16(p + 1))
					for n := range 100 {
						b = append(append(b, text(fmt.Sprint("litter/", i, "/", p, "/", n, "/+"))...), 1)
					}
					_, _ = w.Write(pack(0x82, b))
					_, _ = w.Want(0x90)
				}
				w.Drop()
			})
		}, clear: clear("many", some(20, 100))},
		{name: "deep filters that share nothing", do: func(a *arena) {
			crowd(some(20, 100), func(i int) {
				w := a.enter(rawmqtt.Connect{ID: name("deep", i)})
				if w == nil {
					return
				}
				for n := range 50 {
					_, _ = w.Write(rawmqtt.Subscribe(false, 1, deep(fmt.Sprint(i, "-", n), 31), 0))
					_, _ = w.Want(0x90)
				}
			})
		}},
		{name: "the same sessions again and again", do: func(a *arena) {
			for range some(5, 30) {
				leaveBehind("again", 100, own)(a)
			}
		}, clear: clear("again", 100)},
	}
}
