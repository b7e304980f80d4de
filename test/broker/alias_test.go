package broker

import (
	"fmt"
	"testing"

	"edged/test/rawmqtt"
)

func alias(n uint16) []byte { return rawmqtt.U16(0x23, n) }

// aliases is how many the broker lets a client use.
func aliases(t *testing.T) uint16 {
	t.Helper()
	n, _ := properties(t, dial(t).Connect(rawmqtt.Connect{V5: true, ID: fresh()})).Int(0x22)
	return uint16(n)
}

func TestAliasesOfAClient(t *testing.T) {
	shows(t, "v5:MQTT-3.3.2-12", "v5:MQTT-3.2.2-17")
	sub, p, topic := client(t, false), client(t, true), fresh()
	granted(t, sub, topic+"/#", 0, 0)
	top := aliases(t)
	if top == 0 {
		t.Skip("the broker takes none")
	}
	for _, n := range []uint16{1, top/2 + 1, top} {
		name := fmt.Sprint(topic, "/", n)
		p.Publish(rawmqtt.Publish{Topic: name, Payload: "set", Props: alias(n)})
	}
	for _, n := range []uint16{top, 1, top/2 + 1} {
		p.Publish(rawmqtt.Publish{Payload: "used", Props: alias(n)})
	}
	for i, n := range []uint16{1, top/2 + 1, top, top, 1, top/2 + 1} {
		next(t, sub, fmt.Sprint(topic, "/", n), []string{"set", "used"}[i/3], 0)
	}
	// An alias can be given to another topic, also by a message with QoS.
	for qos := range byte(3) {
		name := fmt.Sprint(topic, "/again/", qos)
		whole(t, p, rawmqtt.Publish{Topic: name, Payload: "set", QoS: qos, ID: 1, Props: alias(1)})
		whole(t, p, rawmqtt.Publish{Payload: "used", QoS: qos, ID: 1, Props: alias(1)})
		next(t, sub, name, "set", 0)
		next(t, sub, name, "used", 0)
	}
}

func TestAliasesThatCannotBe(t *testing.T) {
	shows(t, "v5:MQTT-3.3.2-8", "v5:MQTT-3.3.2-9", "v5:MQTT-3.2.2-17", "v5:MQTT-4.13.1-1")
	top := aliases(t)
	for name, c := range map[string]struct {
		m     rawmqtt.Publish
		codes []byte
	}{
		"0":         {rawmqtt.Publish{Topic: fresh(), Props: alias(0)}, []byte{0x94}},
		"too large": {rawmqtt.Publish{Topic: fresh(), Props: alias(top + 1)}, []byte{0x94}},
		"65535":     {rawmqtt.Publish{Topic: fresh(), Props: alias(65535)}, []byte{0x94}},
		"unknown":   {rawmqtt.Publish{Props: alias(1)}, []byte{0x82, 0x94}},
		"twice":     {rawmqtt.Publish{Topic: fresh(), Props: append(alias(1), alias(1)...)}, []byte{0x82}},
	} {
		for qos := range byte(3) {
			if name == "65535" && top == 65535 {
				continue
			}
			t.Run(fmt.Sprint(name, qos), func(t *testing.T) {
				t.Parallel()
				w, m := client(t, true), c.m
				m.QoS, m.ID = qos, 1
				w.Publish(m)
				violated(t, w, c.codes...)
			})
		}
	}
}

func TestAliasesEndWithTheConnection(t *testing.T) {
	shows(t, "v5:MQTT-3.3.2-7")
	id := fresh()
	w := login(t, keeping(true, id))
	publish(t, w, rawmqtt.Publish{Topic: fresh(), Props: alias(1)})
	w.Disconnect()
	w, _ = resume(t, keeping(true, id))
	w.Publish(rawmqtt.Publish{Props: alias(1)})
	violated(t, w, 0x82, 0x94)
}

// reader resolves the broker's aliases as a client does.
func reader(t *testing.T, w *rawmqtt.Client, known map[int]string, top int) (m rawmqtt.Message, aliased bool) {
	t.Helper()
	f := w.Read()
	m, ok := f.Message()
	if !ok {
		t.Fatalf("want PUBLISH, have %v", f)
	}
	n, aliased := properties(t, f).Int(0x23)
	switch {
	case aliased && (n == 0 || n > top):
		t.Errorf("alias %d to a client that takes %d", n, top)
	case aliased && m.Topic != "":
		known[n] = m.Topic
	case aliased:
		m.Topic = known[n]
	}
	if m.Topic == "" {
		t.Errorf("a message without a topic: %+v", m)
	}
	return m, aliased
}

func TestAliasesToAClient(t *testing.T) {
	shows(t, "v5:MQTT-3.1.2-26", "v5:MQTT-3.1.2-27", "v5:MQTT-3.3.2-8", "v5:MQTT-3.3.2-11", "v5:MQTT-3.3.2-7")
	for _, top := range []int{-1, 0, 1, 3, 65535} {
		o, topic := keeping(true, fresh()), fresh()
		if top >= 0 {
			o.Props = append(o.Props, rawmqtt.U16(0x22, uint16(top))...)
		}
		w := login(t, o)
		granted(t, w, topic+"/#", 1, 1)
		p := client(t, true)
		for round := range 2 { // over two connections
			known, short := map[int]string{}, 0
			for i := range 12 {
				name := fmt.Sprint(topic, "/", i%5)
				if i < 5 {
					p.Publish(rawmqtt.Publish{Topic: name, Payload: fmt.Sprint(i)})
				} else {
					publish(t, p, rawmqtt.Publish{Topic: name, Payload: fmt.Sprint(i)})
				}
				m, aliased := reader(t, w, known, max(top, 0))
				if m.Topic != name || m.Payload != fmt.Sprint(i) {
					t.Fatalf("want %d in %s, have %+v", i, name, m)
				}
				if m.QoS > 0 {
					w.Ack(0x40, m.ID)
				}
				if aliased {
					short++
				}
			}
			if short == 0 && top > 0 && !foreign() {
				t.Errorf("no alias to a client that takes %d", top)
			}
			w.Quiet() // the last PUBACK has been seen
			_ = w.Close()
			if round == 0 {
				w, _ = resume(t, o)
			}
		}
	}
}
