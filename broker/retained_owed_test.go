package broker

import (
	"testing"

	"edged/test/await"
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
			w, _ := connect(t, s, opts{id: "w", v5: true})
			w.publish(p{topic: "a/b", retain: true, payload: "old"})
			put(1)
			d.commit(1, nil)
			before, _ := connect(t, s, opts{id: "before"})
			if other {
				before.subscribe(1, "a/#", 0)
				if m := before.message(); !m.retain || m.payload != "old" {
					t.Fatalf("%+v", m)
				}
			}
			w.publish(p{topic: "a/b", retain: true, payload: "newer"}, p{topic: "a/b", retain: true, payload: "newest"}, p{topic: "a/c", retain: true, payload: "x"}, p{topic: "a/c", retain: true})
			put(4)
			w.subscribe(1, "a/b", 0)
			w.subscribe(2, "a/+", 0)
			none, _ := connect(t, s, opts{id: "none", v5: true})
			none.subscribe(1, "a/#", 0x20)
			late, _ := connect(t, s, opts{id: "late"})
			late.subscribe(1, "a/#", 0)
			late.quiet()
			w.quiet()
			d.commit(4, nil)
			for _, c := range []*peer{w, late} {
				if m := c.message(); !m.retain || m.payload != "newest" {
					t.Fatalf("%+v", m)
				}
				c.quiet()
			}
			none.quiet()
			if other {
				for _, want := range []string{"newer", "newest", "x", ""} {
					if m := before.message(); m.retain || m.payload != want {
						t.Fatalf("%+v, want %q", m, want)
					}
				}
			}
			w.publish(p{topic: "a/b", retain: true, payload: "live"})
			put(1)
			d.commit(1, nil)
			for _, c := range []*peer{w, late, none} {
				if m := c.message(); m.retain || m.payload != "live" {
					t.Fatalf("%+v", m)
				}
				c.quiet()
			}
		})
	}
}

// What was published before a subscription was made is not for it, however late the disk is.
func TestWhoSubscribesLaterDoesNotGetWhatWasPublishedBefore(t *testing.T) {
	t.Parallel()
	r := &receiver{}
	s := start(t, setup{attach: handlers(r)})
	early, _ := connect(t, s, opts{id: "early"})
	early.subscribe(1, "site/#", 1)
	w, _ := connect(t, s, opts{id: "w"})
	w.publish(p{topic: "site/1", qos: 1, id: 1, payload: "before"})
	r.has(t, 1)
	late, _ := connect(t, s, opts{id: "late"})
	late.subscribe(2, "site/1", 1)
	early.subscribe(2, "site/#", 0)
	w.publish(p{topic: "site/1", qos: 1, id: 2, payload: "after"})
	r.has(t, 2)
	r.commit(nil)
	w.acks(0x40, 1, 2)
	if m := late.message(); m.payload != "after" {
		t.Fatalf("%+v", m)
	}
	for _, want := range []string{"before", "after"} {
		if m := early.message(); m.payload != want {
			t.Fatalf("%+v, want %q", m, want)
		}
	}
}
