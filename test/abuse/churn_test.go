package abuse

import (
	"fmt"
	"strings"
	"time"

	"edged/test/rawmqtt"
)

// churn changes subscriptions, shares and aliases while messages flow.
func churn() []behaviour {
	flow := func(a *arena, each func(w *rawmqtt.Client, i int)) {
		done := make(chan struct{})
		go func() {
			defer close(done)
			busy(a, 1, "x")
		}()
		crowd(some(20, 100), func(i int) {
			if w := a.enter(rawmqtt.Connect{ID: name("churn", i), V5: true}); w != nil {
				each(w, i)
			}
		})
		<-done
	}
	return []behaviour{
		{name: "shared subscriptions come and go", do: func(a *arena) {
			flow(a, func(w *rawmqtt.Client, i int) {
				filter := fmt.Sprint("$share/g", i%3, "/site/busy/#")
				flood(w, duration(), func(n int) []byte {
					return cat(rawmqtt.Subscribe(true, 1, filter, 1), rawmqtt.Unsubscribe(true, 2, filter))
				})
			})
		}},
		{name: "members of a share that never read, or leave", do: func(a *arena) {
			flow(a, func(w *rawmqtt.Client, i int) {
				_ = w.Ask(1, "$share/one/site/busy/#", byte(i%3))
				if i%2 == 0 {
					time.Sleep(duration() / 2)
					w.Drop()
				}
			})
		}},
		{name: "hundreds of shares of one topic", do: func(a *arena) {
			flow(a, func(w *rawmqtt.Client, i int) {
				for n := range some(10, 50) {
					_ = w.Ask(1, fmt.Sprint("$share/g", i, "-", n, "/site/busy/#"), 0)
				}
				drain(w, 0, duration()/2)
			})
		}},
		{name: "subscribe and unsubscribe under load", do: func(a *arena) {
			flow(a, func(w *rawmqtt.Client, i int) {
				go drain(w, 0, time.Minute)
				flood(w, duration(), func(n int) []byte {
					filter := []string{"site/busy/#", "#", "site/+/1"}[n%3]
					return cat(rawmqtt.Subscribe(true, 1, filter, byte(n%3)), rawmqtt.Unsubscribe(true, 2, filter))
				})
			})
		}},
		{name: "topic aliases change with every message", do: func(a *arena) {
			crowd(5, func(i int) {
				w := a.enter(rawmqtt.Connect{ID: name("alias", i), V5: true, Props: rawmqtt.U16(0x22, 65535)})
				if w == nil {
					return
				}
				_ = w.Ask(1, "site/alias/#", 0)
				go drain(w, 0, time.Minute)
				long := strings.Repeat("a", 1000)
				flood(w, duration(), func(n int) []byte {
					return rawmqtt.Publish{Topic: fmt.Sprint("site/alias/", n, long), Props: rawmqtt.U16(0x23, uint16(1+n%10))}.Bytes(true)
				})
			})
		}},
		{name: "users come, ask for everything and go", do: func(a *arena) {
			flow(a, func(_ *rawmqtt.Client, i int) {
				for end := time.Now().Add(duration()); time.Now().Before(end); {
					if w := a.try(rawmqtt.Connect{ID: name("tourist", i), V5: i%2 == 0}); w != nil {
						_ = w.Ask(1, "#", byte(i%3))
						w.Drop()
					}
				}
			})
		}},
	}
}
