package broker

import (
	"fmt"
	"slices"
	"testing"

	"edged/test/await"
	"edged/test/rawmqtt"
)

// TestSessionsSurviveACrash: an offline subscriber gets what was acknowledged, whatever its QoS.
func TestSessionsSurviveACrash(t *testing.T) {
	for _, qos := range []byte{1, 2} {
		t.Run(fmt.Sprint("QoS ", qos), func(t *testing.T) {
			b := newBook(nil)
			s := kept(t, b, true, nil)
			o := rawmqtt.Connect{ID: "sub", Keep: true}
			w, _ := connect(t, s, o)
			w.Subscribe(1, "a", qos)
			w.Disconnect()
			p, _ := connect(t, s, rawmqtt.Connect{ID: "pub", Keep: true})
			for i := range uint16(5) {
				p.Publish(rawmqtt.Publish{Topic: "a", QoS: qos, ID: i + 1, Payload: fmt.Sprint(i)})
				p.Acks(map[byte]byte{1: 0x40, 2: 0x50}[qos], i+1)
			}
			s, b = crashed(t, s, b, true, nil)
			w, present := connect(t, s, o)
			if !present {
				t.Fatal("no session")
			}
			c := &subscriber{id: "sub", w: w, have: map[uint16]string{}}
			await.Soon(t, "all five come", func() bool { c.read(t); c.answer(100); return len(c.got) == 5 })
			if want := []string{"0", "1", "2", "3", "4"}; !slices.Equal(c.got, want) {
				t.Fatalf("got %q", c.got)
			}
			s.still(t, b)
		})
	}
}
