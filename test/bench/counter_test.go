package bench

import (
	"strconv"
	"testing"

	"edged/test/rawmqtt"
)

// counter reads one of Mosquitto's counters: it is a retained message.
func counter(t *testing.T, addr, topic string) float64 {
	t.Helper()
	w, _ := rawmqtt.Login(t, addr, rawmqtt.Connect{ID: "counter"})
	defer w.Disconnect()
	w.Subscribe(1, topic, 0)
	v, err := strconv.ParseFloat(string(w.Message().Payload), 64)
	if err != nil {
		t.Fatalf("%s: %v", topic, err)
	}
	return v
}
