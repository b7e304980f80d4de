package remote

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"edged/test/await"

	"edged"
)

func TestMessagesAreAcknowledgedAfterTheirCommit(t *testing.T) {
	t.Parallel()
	m := newMosquitto(t, "max_inflight_messages 5")
	h := &handler{}
	r := run(t, m.config(), []string{"site/#"}, &memory{}, h)
	r.connected(t, 1)
	var all []string
	for i := range 12 {
		all = append(all, fmt.Sprint(i))
	}
	m.publish("site/1", false, all...)
	// Mosquitto sends five, and the next only when those are acknowledged: which they are not before the commit.
	h.has(t, all[:5]...)
	for n := 0; n < len(all); {
		await.Soon(t, "more come", func() bool { k := h.commit(nil); n += k; return k > 0 })
	}
	h.has(t, all...)
	if r.metric("edged_receiver_redeliveries_total") != 0 {
		t.Fatal("redelivered without need")
	}
	m.stopped(r)
	again := &handler{}
	r = run(t, m.config(), []string{"site/#"}, &memory{}, again)
	r.connected(t, 1)
	m.publish("site/1", false, "new")
	again.has(t, "new") // nothing that was acknowledged comes again
}

func TestWhatWasNotAcknowledgedComesAgainWithDup(t *testing.T) {
	t.Parallel()
	m := newMosquitto(t)
	h := &handler{}
	r := run(t, m.config(), []string{"site/#"}, &memory{}, h)
	r.connected(t, 1)
	m.publish("site/1", false, "a", "b")
	h.has(t, "a", "b")
	m.stop() // politely, so that it keeps what was not acknowledged
	await.Soon(t, "the loss is noticed", func() bool { return r.log.Count("no connection to the broker") == 1 })
	h.commit(nil) // for a connection that is gone
	m.start()
	h.has(t, "a", "b", "a", "b")
	if n := r.metric("edged_receiver_redeliveries_total"); n != 2 {
		t.Fatalf("%d redeliveries counted", n)
	}
	h.commit(nil)
	m.publish("site/1", false, "c")
	h.has(t, "a", "b", "a", "b", "c")
}

func TestABrokerThatForgotTheSessionIsSubscribedToAgain(t *testing.T) {
	t.Parallel()
	m := newMosquitto(t)
	h := &handler{}
	r := run(t, m.config(), []string{"site/#"}, &memory{}, h)
	r.connected(t, 1)
	m.kill() // nothing was saved
	m.start()
	r.connected(t, 2)
	m.publish("site/1", false, "after")
	h.has(t, "after")
}

func TestMessagesWaitAtTheBrokerWhileTheGatewayIsAway(t *testing.T) {
	t.Parallel()
	m := newMosquitto(t)
	h, mem := &handler{}, &memory{}
	r := run(t, m.config(), []string{"site/#"}, mem, h)
	r.connected(t, 1)
	m.stopped(r)
	m.publish("site/1", false, "1", "2", "3")
	run(t, m.config(), []string{"site/#"}, mem, h)
	h.has(t, "1", "2", "3")
}

func TestTopicsThatAreNoLongerConfiguredAreUnsubscribed(t *testing.T) {
	t.Parallel()
	m := newMosquitto(t)
	h, mem := &handler{}, &memory{}
	r := run(t, m.config(), []string{"site/#", "old/+"}, mem, h)
	r.connected(t, 1)
	m.stopped(r)
	m.publish("old/1", false, "queued") // while the gateway is away
	r = run(t, m.config(), []string{"site/#", "new"}, mem, h)
	r.connected(t, 1)
	m.publish("old/1", false, "unwanted")
	m.publish("new", false, "new")
	m.publish("site/1", false, "site")
	h.has(t, "new", "site")
	if n := r.metric("edged_receiver_unwanted_total"); n != 1 {
		t.Fatalf("%d unwanted messages, want the one that was queued", n)
	}
	if got := mem.Topics("gateway"); !slices.Equal(got, []string{"site/#", "new"}) {
		t.Fatal(got)
	}
	h.commit(nil)
	writes := mem.writes
	m.stopped(r)
	r = run(t, m.config(), []string{"site/#", "new"}, mem, &handler{})
	r.connected(t, 1)
	if mem.writes != writes {
		t.Fatal("written although nothing has changed")
	}
}

func TestRetainedMessages(t *testing.T) {
	t.Parallel()
	m := newMosquitto(t)
	m.publish("site/1", true, "kept")
	h := &handler{}
	r := run(t, m.config(), []string{"site/#"}, &memory{}, h)
	await.Soon(t, "it is skipped", func() bool { return r.metric("edged_receiver_retained_skipped_total") == 1 })
	m.publish("site/1", true, "live") // not marked as retained for those who subscribe already
	h.has(t, "live")
	c := m.config()
	c.Retained, c.ClientID = "store", "other"
	h = &handler{}
	run(t, c, []string{"site/#"}, &memory{}, h)
	h.has(t, "live")
	if !h.stored[0].Retain {
		t.Fatal("not marked as retained")
	}
}

func TestQoS2CarriesItsOrigin(t *testing.T) {
	t.Parallel()
	m := newMosquitto(t)
	c := m.config()
	c.QoS = 2
	h := &handler{}
	r := run(t, c, []string{"site/#"}, &memory{}, h)
	r.connected(t, 1)
	p := publisher(t, m.config())
	if err := p.Publish(t.Context(), "site/1", []byte("x"), 2, false); err != nil {
		t.Fatal(err)
	}
	h.has(t, "x")
	if o := h.stored[0].Origin; o.Client != "gateway" || o.PacketID == 0 {
		t.Fatalf("%+v", o)
	}
	h.commit(nil)
}

func TestAFullStoreHoldsTheBrokerBack(t *testing.T) {
	t.Parallel()
	m := newMosquitto(t)
	h := &handler{}
	h.refusing(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
	r := run(t, m.config(), []string{"site/#"}, &memory{}, h)
	r.connected(t, 1)
	m.publish("site/1", false, "1", "2")
	m.stopped(r) // also ends a Take that waits
	h.has(t)
	h.refusing(nil)
	run(t, m.config(), []string{"site/#"}, &memory{}, h)
	h.has(t, "1", "2")
}

func TestWhatCannotBeStoredComesAgain(t *testing.T) {
	t.Parallel()
	m := newMosquitto(t)
	h := &handler{}
	r := run(t, m.config(), []string{"site/#"}, &memory{}, h)
	r.connected(t, 1)
	m.publish("site/1", false, "a")
	h.has(t, "a")
	h.commit(errors.New("EIO"))
	h.has(t, "a", "a")
	h.commit(nil)
	full := make(chan struct{})
	refuse := sync.OnceFunc(func() { close(full) })
	h.refusing(func(context.Context) error {
		select {
		case <-full:
			return nil
		default:
			refuse()
			return edged.ErrFull
		}
	})
	m.publish("site/1", false, "b")
	h.has(t, "a", "a", "b")
	r.connected(t, 3)
}

func TestStoppingWaitsForTheLastCommits(t *testing.T) {
	t.Parallel()
	m := newMosquitto(t)
	h := &handler{}
	mem := &memory{}
	r := run(t, m.config(), []string{"site/#"}, mem, h)
	r.connected(t, 1)
	m.publish("site/1", false, "a", "b")
	h.has(t, "a", "b")
	time.AfterFunc(100*time.Millisecond, func() { h.commit(nil) }) // while it is stopping
	m.stopped(r)
	again := &handler{}
	run(t, m.config(), []string{"site/#"}, mem, again).connected(t, 1)
	m.publish("site/1", false, "c")
	again.has(t, "c") // a and b were acknowledged
}

func TestAnUnreachableBrokerIsSaidOnceAndTried(t *testing.T) {
	t.Parallel()
	m := newMosquitto(t)
	m.stop()
	h := &handler{}
	r := run(t, m.config(), []string{"site/#"}, &memory{}, h)
	await.Soon(t, "it is said", func() bool { return r.log.Count("no connection to the broker") == 1 })
	m.start()
	r.connected(t, 1)
	if n := r.log.Count("level=WARN"); n != 1 {
		t.Fatalf("%d warnings:\n%s", n, r.log)
	}
	m.publish("site/1", false, "x")
	h.has(t, "x")
}
