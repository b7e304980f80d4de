package broker

import (
	"fmt"
	"slices"
	"testing"

	"edged/test/await"
	"edged/test/rawmqtt"
)

// What a member of a shared subscription leaves unacknowledged when its session ends goes to another; QoS 2 that was sent to it
// does not [MQTT-4.8.2-5].
func TestAShareHandsOverWhatAMemberLeaves(t *testing.T) {
	s := start(t, setup{cfg: func(c *Config) { c.MaxInflight = 4 }})
	first, _ := connect(t, s, rawmqtt.Connect{ID: "first", V5: true})
	first.Subscribe(1, "$share/g/a/#", 2)
	for i := range 8 {
		if err := s.Publish(t.Context(), fmt.Sprint("a/", i), []byte("x"), byte(1+i%2), false); err != nil {
			t.Fatal(err)
		}
	}
	for range 4 { // 0 to 3 are on their way; 4 to 7 wait
		first.Message()
	}
	await.Soon(t, "they wait", func() bool { return s.queued("first") == 8 })
	second, _ := connect(t, s, rawmqtt.Connect{ID: "second", V5: true})
	second.Subscribe(1, "$share/g/a/#", 2)
	other, _ := connect(t, s, rawmqtt.Connect{ID: "other", V5: true})
	other.Subscribe(1, "$share/h/a/#", 2)
	first.Disconnect()
	var got []string
	for finished := 0; finished < 6; {
		switch f := second.Read(); f.Kind {
		case 0x30:
			m := published(t, f)
			got = append(got, m.Topic)
			if m.QoS == 1 {
				second.Ack(0x40, m.ID)
				finished++
			} else {
				second.Ack(0x50, m.ID)
			}
		case 0x62:
			second.Ack(0x70, f.ID())
			finished++
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, []string{"a/0", "a/2", "a/4", "a/5", "a/6", "a/7"}) {
		t.Errorf("handed over: %q", got)
	}
	second.Quiet()
	other.Quiet()
}

func TestMembersOfAShareTakeTurns(t *testing.T) {
	s := start(t, setup{})
	var members []*rawmqtt.Client
	for i := range 3 {
		w, _ := connect(t, s, rawmqtt.Connect{ID: fmt.Sprint("member", i), V5: true})
		w.Subscribe(1, "$share/g/a/+", 0)
		members = append(members, w)
	}
	for i := range 9 {
		if err := s.Publish(t.Context(), fmt.Sprint("a/", i), []byte("x"), 0, false); err != nil { // also over different topics
			t.Fatal(err)
		}
	}
	for _, w := range members {
		for range 3 {
			w.Message()
		}
		w.Quiet()
	}
}
