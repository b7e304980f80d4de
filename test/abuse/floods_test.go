package abuse

import (
	"fmt"
	"strings"
	"time"

	"edged/test/rawmqtt"
)

// floods write as fast as they can, and do not read.
func floods() []behaviour {
	many := func(n int, v5 bool, each func(w *rawmqtt.Client, i int)) func(a *arena) {
		return func(a *arena) {
			crowd(n, func(i int) {
				if w := a.enter(rawmqtt.Connect{ID: name("flood", i), V5: v5}); w != nil {
					each(w, i)
				}
			})
		}
	}
	publish := func(v5 bool, m rawmqtt.Publish) func(w *rawmqtt.Client, i int) {
		return func(w *rawmqtt.Client, _ int) {
			n := 0
			flood(w, duration(), func(int) (b []byte) {
				for range 50 {
					if m.QoS > 0 && !m.Dup {
						n, m.ID = n+1, uint16(n%65535+1)
					}
					b = append(b, m.Bytes(v5)...)
				}
				return b
			})
		}
	}
	always := func(b []byte) func(w *rawmqtt.Client, i int) {
		b = times2(b, 100)
		return func(w *rawmqtt.Client, _ int) { flood(w, duration(), func(int) []byte { return b }) }
	}
	m := rawmqtt.Publish{Topic: "site/flood", Payload: "21.5"}
	large := rawmqtt.Publish{Topic: "site/flood", Payload: strings.Repeat("x", 16<<10)}
	qos := func(m rawmqtt.Publish, q byte) rawmqtt.Publish { m.QoS = q; return m }
	dup := m
	dup.QoS, dup.ID, dup.Dup = 1, 7, true
	dup2 := dup
	dup2.QoS = 2
	props := m
	props.Props = times2(rawmqtt.User(strings.Repeat("k", 1000), strings.Repeat("v", 1000)), 100)
	return []behaviour{
		{name: "QoS 0 flood", do: many(5, false, publish(false, m))},
		{name: "QoS 0 flood of large messages", do: many(5, true, publish(true, large))},
		{name: "QoS 1 flood without reading", do: many(5, false, publish(false, qos(m, 1)))},
		{name: "QoS 1 flood of large messages without reading", do: many(5, false, publish(false, qos(large, 1)))},
		{name: "QoS 1 flood beyond the receive maximum", do: many(5, true, publish(true, qos(m, 1)))},
		{name: "QoS 2 flood without reading", do: many(5, false, publish(false, qos(m, 2)))},
		{name: "QoS 2 flood of large messages never released", do: many(5, false, publish(false, qos(large, 2)))},
		{name: "QoS 1 DUP flood", do: many(5, false, publish(false, dup))},
		{name: "QoS 2 DUP flood", do: many(5, true, publish(true, dup2))},
		{name: "flood of user properties", do: many(5, true, publish(true, props))},
		{name: "PINGREQ flood", do: many(10, false, always([]byte{0xC0, 0}))},
		{name: "PINGREQ flood of MQTT 5", do: many(10, true, always([]byte{0xC0, 0}))},
		{name: "SUBSCRIBE flood", do: many(5, false, always(cat(rawmqtt.Subscribe(false, 1, "x/#", 1), rawmqtt.Unsubscribe(false, 2, "x/#"))))},
		{name: "SUBSCRIBE flood of distinct filters", do: many(5, true, func(w *rawmqtt.Client, i int) {
			flood(w, duration(), func(n int) []byte { return rawmqtt.Subscribe(true, 1, fmt.Sprint("x/", i, "/", n, "/+/#"), 1) })
		})},
		{name: "UNSUBSCRIBE flood with large answers", do: many(5, true, always(pack(0xA2, id(1), 0, times2(text("a"), 1000))))},
		{name: "PUBREL flood", do: many(5, false, always(rawmqtt.Ack(0x62, 9)))},
		{name: "PUBREC flood", do: many(5, true, always(rawmqtt.Ack(0x50, 9)))},
		{name: "a flood of distinct topics", do: many(5, false, func(w *rawmqtt.Client, i int) {
			for n := range some(10, 100) {
				var b []byte
				for k := range 1000 {
					b = append(b, rawmqtt.Publish{Topic: fmt.Sprint("site/many/", i, "/", n, "/", k), Payload: "1"}.Bytes(false)...)
				}
				_ = w.SetWriteDeadline(time.Now().Add(brief))
				_, _ = w.Write(b)
			}
			_, _ = w.Write([]byte{0xC0, 0})
			_, _ = w.Want(0xD0) // it has read them all
		})},
		{name: "more than the receive maximum", do: func(a *arena) {
			w, ack, err := rawmqtt.Reach(a.addr, rawmqtt.Connect{ID: "over", V5: true})
			if err != nil {
				a.Errorf("login: %v", err)
				return
			}
			a.keep(w)
			most, ok := ack.Property(0x21)
			if !ok {
				a.Log("the broker announces no receive maximum: nothing to exceed")
				return
			}
			var b []byte
			for n := range int(most) + 1 {
				b = append(b, rawmqtt.Publish{Topic: "site/x", QoS: 2, ID: uint16(n + 1)}.Bytes(true)...)
			}
			_, _ = w.Write(b)
			bye := listen(w, bad{v5: true, want: ends})
			if !bye.ended || string(bye.bye) != "\x93" {
				a.Errorf("%d exchanges at once, where %d are allowed: %+v, want DISCONNECT 93", most+1, most, bye)
			}
		}},
		{name: "publishing into one's own subscription", do: many(10, true, func(w *rawmqtt.Client, i int) {
			topic := fmt.Sprint("site/loop/", i%3)
			_ = w.Ask(1, "site/loop/#", 1)
			for n := range 20 {
				_, _ = w.Write(rawmqtt.Publish{Topic: topic, Payload: "x", QoS: 1, ID: uint16(n + 1)}.Bytes(true))
			}
			for end := time.Now().Add(duration()); ; { // what comes goes out again
				f, err := w.TryRead(time.Until(end))
				if err != nil {
					return
				}
				if m, ok := f.Message(); ok {
					_ = w.SetWriteDeadline(end)
					if _, err := w.Write(cat(rawmqtt.Ack(0x40, m.ID), rawmqtt.Publish{Topic: topic, Payload: m.Payload, QoS: 1, ID: m.ID}.Bytes(true))); err != nil {
						return
					}
				}
			}
		})},
	}
}
