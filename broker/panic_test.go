package broker

import (
	"context"
	"strings"
	"testing"

	"edged"
	"edged/test/await"
	"edged/test/rawmqtt"
)

// A panic ends the connection on which it happens, is counted, and is said with the packet; everybody else goes on.
func TestAPanicEndsOneConnection(t *testing.T) {
	bad := &receiver{refuse: func(context.Context) error { panic("a bug") }}
	r := commits(t)
	s := start(t, setup{attach: map[string]edged.Handler{"bad/#": bad, "site/#": r}})
	good, _ := connect(t, s, rawmqtt.Connect{ID: "good"})
	for name, hit := range map[string]func(w *rawmqtt.Client){
		"reading": func(w *rawmqtt.Client) {
			w.Publish(rawmqtt.Publish{Topic: "bad/1", QoS: 1, ID: 1, Payload: strings.Repeat("secret", 100)})
		},
		"writing": func(w *rawmqtt.Client) {
			c := s.sessions.get("bad").conn
			c.mu.Lock()
			c.full, c.drained = true, func() { panic("another bug") }
			c.mu.Unlock()
			w.Send([]byte{0xC0, 0})
		},
	} {
		before, clients := s.met.panics.Get(), s.Status().Clients
		w, _ := connect(t, s, rawmqtt.Connect{ID: "bad", V5: true})
		hit(w)
		w.Ended()
		await.Soon(t, name+": it is counted, and over", func() bool {
			return s.met.panics.Get() == before+1 && s.Status().Clients == clients
		})
		good.Publish(rawmqtt.Publish{Topic: "site/1", QoS: 1, ID: 1})
		good.Acks(0x40, 1)
	}
	await.Soon(t, "it is said", func() bool { return s.log.Count("a bug") > 0 && s.log.Count("packet=") > 0 })
	if s.log.Count("73656372657473656372657473656372657473656372657473656372657473656372657473") > 0 {
		t.Error("all of the packet is in the log")
	}
}
