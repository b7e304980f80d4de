package fault

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"edged/test/rawmqtt"
	"edged/test/verdict"
)

// allProperties is what an MQTT 5 publish can carry to its subscribers, besides the expiry (3.3.2.3).
var allProperties = slices.Concat(rawmqtt.U8(0x01, 1), rawmqtt.Str(0x03, "text/plain"), rawmqtt.Str(0x08, "reply/to"), rawmqtt.Str(0x09, "\x00\x01\xff"),
	rawmqtt.User("unit", "C"), rawmqtt.User("unit", "F"), rawmqtt.User("", "empty key"))

// What waits for a subscriber is after a restart what it was: properties in their order, the rest of the expiry, the retain flag as the subscription
// asks, subscription identifiers; what has expired and what No Local keeps from it does not come. So it is also with messages that had to leave the log,
// because too much of it was held for them.
func TestSessionsKeepMessagesAsTheyWere(t *testing.T) {
	byKillAtLeast(t, func(t *testing.T, end end) {
		for _, passes := range quickOrFull([]int{24 << 20}, []int{0, 24 << 20}) {
			t.Run(fmt.Sprintf("%dMiB", passes>>20), func(t *testing.T) { t.Parallel(); asTheyWere(t, end, passes) })
		}
	})
}

// asTheyWere has so many bytes pass the session while it is away.
func asTheyWere(t *testing.T, end end, passes int) {
	t.Helper()
	e := sessionGateway(t, sessionConfig)
	s := newSubscriber(e, true, "away")
	s.begin(t, 1)
	s.ask(t, "site/p/#", 2, 0x0B, 7)
	s.ask(t, "site/p/over", 1, 0x0B, 9)
	s.ask(t, "free/p/#", 1|1<<3, 0x0B, 0x81, 0x01) // Retain As Published; identifier 129
	s.ask(t, "free/nl/#", 1|1<<2)                  // No Local
	own := newPublisher(e, true, "away")
	own.w = s.w
	own.lastID = 1000
	must(t, own.send(rawmqtt.Publish{Topic: "free/nl/own", QoS: 1, Payload: "own"}))
	must(t, own.settle())
	s.leave()

	expiry := func(seconds uint32) []byte { return rawmqtt.U32(0x02, seconds) }
	p := newPublisher(e, true, "publisher")
	p.must(t,
		rawmqtt.Publish{Topic: "site/p/all", QoS: 2, Payload: "all 2", Props: append(expiry(1000), allProperties...)},
		rawmqtt.Publish{Topic: "free/p/all", QoS: 1, Payload: "all 1", Props: append(expiry(1000), allProperties...)},
		rawmqtt.Publish{Topic: "site/p/bare", QoS: 2, Payload: ""},
		rawmqtt.Publish{Topic: "free/p/retained", QoS: 1, Payload: "as published", Retain: true},
		rawmqtt.Publish{Topic: "site/p/retained", QoS: 1, Payload: "not as published", Retain: true},
		rawmqtt.Publish{Topic: "site/p/over", QoS: 2, Payload: "overlapping"},
		rawmqtt.Publish{Topic: "free/nl/other", QoS: 1, Payload: "other"},
		rawmqtt.Publish{Topic: "site/p/short", QoS: 2, Payload: "site", Props: expiry(1)},
		rawmqtt.Publish{Topic: "free/p/short", QoS: 1, Payload: "free", Props: expiry(1)},
	)
	passing(t, p, passes)
	time.Sleep(1100 * time.Millisecond) // they expire
	end.now(t, e)
	e.Start()
	if s.back(t, true) {
		must(t, s.fetch(7))
	}
	type want struct {
		qos    byte
		retain bool
		all    bool
		ids    []int
	}
	wants := map[string]want{
		"site/p/all all 2":                 {qos: 2, all: true, ids: []int{7}},
		"free/p/all all 1":                 {qos: 1, all: true, ids: []int{129}},
		"site/p/bare ":                     {qos: 2, ids: []int{7}},
		"free/p/retained as published":     {qos: 1, retain: true, ids: []int{129}},
		"site/p/retained not as published": {qos: 1, ids: []int{7}},
		"site/p/over overlapping":          {qos: 2, ids: []int{7, 9}},
		"free/nl/other other":              {qos: 1},
	}
	v := verdict.Verdict{Fault: "sessions: " + end.name + ", messages with everything that MQTT 5 can say", Acked: int64(len(wants)), Expected: fmt.Sprintf("2 expired, %d MiB of other messages behind them", passes>>20)}
	for _, m := range s.got {
		w, ok := wants[m.Topic+" "+m.Payload]
		if !ok {
			t.Errorf("there came, or came again, %+v", m)
			v.Doubled++
			continue
		}
		delete(wants, m.Topic+" "+m.Payload)
		if m.QoS != w.qos || m.Retain != w.retain || !slices.Equal(subscriptionIDs(m), w.ids) {
			t.Errorf("want %+v, have %+v with subscription identifiers %v", w, m, subscriptionIDs(m))
		}
		checkProperties(t, m, w.all)
	}
	for m := range wants {
		t.Errorf("there did not come %s", m)
		v.Lost++
	}
	s.proper(t)
	settled(t, e)
	v.Holds(t)
}

func checkProperties(t *testing.T, m rawmqtt.Message, all bool) {
	t.Helper()
	ps, _, err := rawmqtt.Parse(rawmqtt.Props([]byte(m.Props)))
	if err != nil {
		t.Fatal(err)
	}
	var want rawmqtt.Properties
	if all {
		want, _, _ = rawmqtt.Parse(rawmqtt.Props(allProperties))
		if n, ok := ps.Int(0x02); !ok || n > 999 || n < 900 {
			t.Errorf("%s: an expiry of 1000 s became %d after more than a second", m.Topic, n)
		}
	}
	for _, id := range []byte{0x01, 0x03, 0x08, 0x09, 0x26} {
		if have := ps.All(id); !slices.Equal(have, want.All(id)) {
			t.Errorf("%s: property %#02x was %q and is %q", m.Topic, id, want.All(id), have)
		}
	}
}
