package broker

import (
	"fmt"
	"slices"
	"testing"

	"edged/test/rawmqtt"
)

// Two goroutines read the connection that a client has left and the one with which it comes back: what it sent on the first
// counts all the same.
func TestAClientThatComesBackAtOnceDoesNotOvertakeItsGoodbye(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	sub, _ := connect(t, s, rawmqtt.Connect{ID: "sub"})
	sub.Subscribe(1, "#", 0)
	goodbye := slices.Concat([]byte{0xE0, 7, 0, 5}, rawmqtt.U32(0x11, 0))
	const rounds = 200
	for i := range rounds {
		w, present := connect(t, s, rawmqtt.Connect{ID: "c", V5: true, Keep: true, Props: rawmqtt.U32(0x11, 100), Will: "will"})
		if present {
			t.Fatalf("round %d: its session was kept", i)
		}
		w.Send(append(rawmqtt.Publish{Topic: "a", Payload: fmt.Sprint(i)}.Bytes(w.V5), goodbye...))
		_ = w.Close()
	}
	for i := range rounds {
		if m := sub.Message(); m.Topic != "a" || m.Payload != fmt.Sprint(i) {
			t.Fatalf("round %d: %+v", i, m)
		}
	}
}

// A connection that is still alive does not keep its session from the next one.
func TestAnAliveConnectionIsTakenOver(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	w, _ := connect(t, s, rawmqtt.Connect{ID: "c", V5: true})
	if _, present := connect(t, s, rawmqtt.Connect{ID: "c", V5: true}); present {
		t.Fatal("a session that was not to be kept")
	}
	if code := w.Ended(); code != 0x8E {
		t.Fatalf("%#x", code)
	}
}
