package broker

import (
	"fmt"
	"slices"
	"testing"

	"edged/test/rawmqtt"

	"edged"
)

// Whatever comes in one write is taken in its order, plain publishes with others between them, to one receiver or several, and what comes before
// the end of a connection is taken.
func TestWhatComesTogetherIsTakenInOrder(t *testing.T) {
	ends := map[string][]byte{"goodbye": {0xE0, 0}, "a malformed packet": {0x30, 0}, "a second CONNECT": rawmqtt.Connect{ID: "c"}.Bytes()}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			a, both := &receiver{}, &receiver{}
			s := start(t, setup{attach: map[string]edged.Handler{"a/#": a}, retained: newDisk(true)})
			s.Attach("both", []string{"a/two", "b/#"}, both)
			w, _ := connect(t, s, rawmqtt.Connect{ID: "c"})
			var all []byte
			var inA, inBoth []string
			for i := range 400 {
				p := rawmqtt.Publish{Topic: "a/one", QoS: 1, ID: uint16(i + 1), Payload: fmt.Sprint(i)}
				switch {
				case i%7 == 3:
					p.QoS = 0
				case i%11 == 5:
					p.Topic = "a/two"
				case i%13 == 8:
					p.Topic = "b/x"
				case i%17 == 9:
					p.Retain = true
				case i%19 == 2:
					p.QoS = 2
				}
				if p.Topic != "b/x" {
					inA = append(inA, p.Payload)
				}
				if p.Topic != "a/one" {
					inBoth = append(inBoth, p.Payload)
				}
				all = append(all, p.Bytes(false)...)
			}
			w.Send(append(all, end...))
			w.Ended()
			if got := a.has(t, len(inA)); !slices.Equal(got, inA) {
				t.Fatalf("the one has %q", got)
			}
			if got := both.has(t, len(inBoth)); !slices.Equal(got, inBoth) {
				t.Fatalf("the other has %q", got)
			}
		})
	}
}
