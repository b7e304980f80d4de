package broker

import (
	"testing"

	"edged/test/await"
	"edged/test/rawmqtt"
)

// Who subscribes while a retained message is on its way to the disk is not served what was there before, and not forgotten
// either: it gets the message when it is durable, as retained, once.
func TestWhoSubscribesWhileAMessageIsRetainedGetsItAsRetained(t *testing.T) {
	t.Parallel()
	for name, other := range map[string]bool{"nobody else subscribes": false, "somebody does": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDisk(false)
			s := start(t, setup{retained: d})
			put := func(n int) {
				t.Helper()
				await.Soon(t, "the change is put", func() bool { return d.waiting() == n })
			}
			w, _ := connect(t, s, rawmqtt.Connect{ID: "w", V5: true})
			w.Publish(rawmqtt.Publish{Topic: "a/b", Retain: true, Payload: "old"})
			put(1)
			d.commit(1, nil)
			before, _ := connect(t, s, rawmqtt.Connect{ID: "before"})
			if other {
				before.Subscribe(1, "a/#", 0)
				if m := before.Message(); !m.Retain || m.Payload != "old" {
					t.Fatalf("%+v", m)
				}
			}
			w.Publish(rawmqtt.Publish{Topic: "a/b", Retain: true, Payload: "newer"},
				rawmqtt.Publish{Topic: "a/b", Retain: true, Payload: "newest"}, rawmqtt.Publish{Topic: "a/c", Retain: true, Payload: "x"},
				rawmqtt.Publish{Topic: "a/c", Retain: true})
			put(4)
			w.Subscribe(1, "a/b", 0)
			w.Subscribe(2, "a/+", 0)
			none, _ := connect(t, s, rawmqtt.Connect{ID: "none", V5: true})
			none.Subscribe(1, "a/#", 0x20)
			late, _ := connect(t, s, rawmqtt.Connect{ID: "late"})
			late.Subscribe(1, "a/#", 0)
			late.Quiet()
			w.Quiet()
			d.commit(4, nil)
			for _, c := range []*rawmqtt.Client{w, late} {
				if m := c.Message(); !m.Retain || m.Payload != "newest" {
					t.Fatalf("%+v", m)
				}
				c.Quiet()
			}
			none.Quiet()
			if other {
				for _, want := range []string{"newer", "newest", "x", ""} {
					if m := before.Message(); m.Retain || m.Payload != want {
						t.Fatalf("%+v, want %q", m, want)
					}
				}
			}
			w.Publish(rawmqtt.Publish{Topic: "a/b", Retain: true, Payload: "live"})
			put(1)
			d.commit(1, nil)
			for _, c := range []*rawmqtt.Client{w, late, none} {
				if m := c.Message(); m.Retain || m.Payload != "live" {
					t.Fatalf("%+v", m)
				}
				c.Quiet()
			}
		})
	}
}

// What was published before a subscription was made is not for it, however late the disk is.
func TestWhoSubscribesLaterDoesNotGetWhatWasPublishedBefore(t *testing.T) {
	t.Parallel()
	r := &receiver{}
	s := start(t, setup{attach: handlers(r)})
	early, _ := connect(t, s, rawmqtt.Connect{ID: "early"})
	early.Subscribe(1, "site/#", 1)
	w, _ := connect(t, s, rawmqtt.Connect{ID: "w"})
	w.Publish(rawmqtt.Publish{Topic: "site/1", QoS: 1, ID: 1, Payload: "before"})
	r.has(t, 1)
	late, _ := connect(t, s, rawmqtt.Connect{ID: "late"})
	late.Subscribe(2, "site/1", 1)
	early.Subscribe(2, "site/#", 0)
	w.Publish(rawmqtt.Publish{Topic: "site/1", QoS: 1, ID: 2, Payload: "after"})
	r.has(t, 2)
	r.commit(nil)
	w.Acks(0x40, 1, 2)
	if m := late.Message(); m.Payload != "after" {
		t.Fatalf("%+v", m)
	}
	for _, want := range []string{"before", "after"} {
		if m := early.Message(); m.Payload != want {
			t.Fatalf("%+v, want %q", m, want)
		}
	}
}
