package broker

import (
	"strings"
	"testing"

	"edged/test/await"
	"edged/test/rawmqtt"
)

// A client that changes a retained message faster than the disk is held back, also with QoS 0 and without subscribers.
func TestRetainedChangesWaitForTheDisk(t *testing.T) {
	d := newDisk(false)
	s := start(t, setup{retained: d})
	w, _ := connect(t, s, rawmqtt.Connect{ID: "c"})
	const n, most = 20, keptPerSession / (2 * 250_000)
	buf := []byte(strings.Repeat(string(rawmqtt.Publish{Topic: "a", Payload: strings.Repeat("x", 250_000), Retain: true}.Bytes(w.V5)), n))
	go func() { _, _ = w.Write(append(buf, 0xC0, 0)) }()
	for left := n; left > 0; left-- {
		want := min(left, most)
		await.Soon(t, "the next ones are put", func() bool { return d.waiting() >= want })
		if got := d.waiting(); got > want {
			t.Fatalf("%d changes of 250 kB are under way", got)
		}
		d.commit(1, nil)
	}
	if f := w.Read(); f.Kind != 0xD0 {
		t.Fatal(f)
	}
	if got := s.in.Dropped(); got != 0 {
		t.Fatalf("%d dropped", got)
	}
}
