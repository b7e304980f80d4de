package broker

import (
	"fmt"
	"testing"

	"edged/test/rawmqtt"
)

// A topic that was published to keeps its route; who subscribes and unsubscribes later must change it.
func TestACachedRouteFollowsSubscriptions(t *testing.T) {
	for _, filter := range []string{"a/b", "a/#", "$share/g/a/+"} {
		for _, topics := range []int{1, 2 * recentSets * recentWays} { // also more than are kept
			t.Run(fmt.Sprint(filter, " among ", topics), func(t *testing.T) {
				s := start(t, setup{})
				pub, _ := rawmqtt.Login(t, s.addr, rawmqtt.Connect{ID: "pub"})
				sub, _ := rawmqtt.Login(t, s.addr, rawmqtt.Connect{ID: "sub", V5: true})
				var others []rawmqtt.Publish
				for i := range topics - 1 {
					others = append(others, rawmqtt.Publish{Topic: fmt.Sprint("other/", i)})
				}
				say := func(payload string) {
					pub.Publish(rawmqtt.Publish{Topic: "a/b", Payload: payload})
					pub.Quiet() // it was delivered before this is answered
				}
				pub.Publish(others...)
				say("nobody is there")
				if code := sub.Subscribe(1, filter, 0); code != 0 {
					t.Fatalf("%02X", code)
				}
				say("heard")
				if m := sub.Message(); m.Payload != "heard" {
					t.Fatalf("%+v", m)
				}
				sub.Send(rawmqtt.Unsubscribe(true, 2, filter))
				sub.Acks(0xB0, 2)
				say("nobody is there any more")
				sub.Quiet()
			})
		}
	}
}

// What a filter says is changed by a second SUBSCRIBE with it.
func TestACachedRouteFollowsAChangedSubscription(t *testing.T) {
	s := start(t, setup{})
	w, _ := rawmqtt.Login(t, s.addr, rawmqtt.Connect{ID: "c", V5: true})
	for i, options := range []byte{0, 4, 0} { // 4 is No Local
		w.Subscribe(1, "a", options)
		w.Publish(rawmqtt.Publish{Topic: "a"})
		if i != 1 {
			w.Message()
		}
		w.Quiet()
	}
}
