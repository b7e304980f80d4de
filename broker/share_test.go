package broker

import (
	"fmt"
	"slices"
	"testing"

	"edged/test/await"
)

// What a member of a shared subscription leaves unacknowledged when its session ends goes to another; QoS 2 that was sent to it
// does not [MQTT-4.8.2-5].
func TestAShareHandsOverWhatAMemberLeaves(t *testing.T) {
	s := start(t, setup{cfg: func(c *Config) { c.MaxInflight = 4 }})
	first, _ := connect(t, s, opts{id: "first", v5: true})
	first.subscribe(1, "$share/g/a/#", 2)
	for i := range 8 {
		if err := s.Publish(t.Context(), fmt.Sprint("a/", i), []byte("x"), byte(1+i%2), false); err != nil {
			t.Fatal(err)
		}
	}
	for range 4 { // 0 to 3 are on their way; 4 to 7 wait
		first.message()
	}
	await.Soon(t, "they wait", func() bool { return s.queued("first") == 8 })
	second, _ := connect(t, s, opts{id: "second", v5: true})
	second.subscribe(1, "$share/g/a/#", 2)
	other, _ := connect(t, s, opts{id: "other", v5: true})
	other.subscribe(1, "$share/h/a/#", 2)
	first.disconnect()
	var got []string
	for finished := 0; finished < 6; {
		switch f := second.read(); f.kind {
		case 0x30:
			m := f.publish(t)
			got = append(got, m.topic)
			if m.qos == 1 {
				second.ack(0x40, m.id)
				finished++
			} else {
				second.ack(0x50, m.id)
			}
		case 0x62:
			second.ack(0x70, f.id())
			finished++
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, []string{"a/0", "a/2", "a/4", "a/5", "a/6", "a/7"}) {
		t.Errorf("handed over: %q", got)
	}
	second.quiet()
	other.quiet()
}
