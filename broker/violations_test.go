package broker

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"edged/test/rawmqtt"
)

// An acknowledgement that the QoS of its delivery cannot have ends the connection: ignored, it would leave the delivery
// unacknowledged for ever. One for a delivery that is not there does not.
func TestAnAcknowledgementOfTheWrongKindEndsTheConnection(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	for _, v5 := range []bool{false, true} {
		for _, wrong := range []struct{ qos, kind byte }{{1, 0x50}, {1, 0x70}, {2, 0x40}, {2, 0x70}} {
			w, _ := connect(t, s, rawmqtt.Connect{ID: "c", V5: v5})
			w.Subscribe(1, "a", wrong.qos)
			w.Ack(0x40, 77)
			w.Ack(0x70, 77)
			if err := s.Publish(t.Context(), "a", []byte("x"), 2, false); err != nil {
				t.Fatal(err)
			}
			w.Ack(wrong.kind, w.Message().ID)
			if code := w.Ended(); v5 && code != 0x82 {
				t.Fatalf("%+v: %#x", wrong, code)
			}
		}
	}
}

func TestATopicThatIsNotTextIsMalformed(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	for topic, want := range map[string]byte{"a\xff": 0x81, "a\x00": 0x81, "\xed\xa0\x80": 0x81, "a/+": 0x90, "#": 0x90} {
		for qos := range byte(3) {
			w, _ := connect(t, s, rawmqtt.Connect{ID: "c", V5: true})
			w.Publish(rawmqtt.Publish{Topic: topic, QoS: qos, ID: 1})
			if code := w.Ended(); code != want {
				t.Fatalf("%q: %#x, want %#x", topic, code, want)
			}
		}
	}
}

// Clients that are told the version is wrong can say so to their users, and try another.
func TestAnUnknownVersionIsAnswered(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	for _, v := range []struct {
		name  string
		level byte
		want  string
	}{{"MQIsdp", 0, "0001"}, {"MQIsdp", 3, "0001"}, {"MQTT", 0, "0001"}, {"MQTT", 3, "0001"}, {"MQTT", 6, "008400"}} {
		w := dial(t, s)
		body := append(append(rawmqtt.Text(v.name), v.level, 2, 0, 60), rawmqtt.Text("c")...)
		w.Send(append([]byte{0x10, byte(len(body))}, body...))
		if f := w.Read(); f.Kind != 0x20 || fmt.Sprintf("%x", f.Body) != v.want {
			t.Fatalf("%+v: %v", v, f)
		}
		w.Ended()
	}
}

// A client that takes no packet as large as the answer to its CONNECT gets none.
func TestAConnackLargerThanTheClientTakesIsNotSent(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	w := dial(t, s)
	w.Send(rawmqtt.Connect{ID: "c", V5: true, Props: rawmqtt.U32(0x27, 2)}.Bytes())
	if f, err := w.TryRead(patient); !errors.Is(err, io.EOF) {
		t.Fatal(f, err)
	}
	w, _ = connect(t, s, rawmqtt.Connect{ID: "c", V5: true, Props: rawmqtt.U32(0x27, 20)})
	w.Quiet()
}
