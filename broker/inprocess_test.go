package broker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"edged/test/await"
	"edged/test/rawmqtt"

	"edged"
)

func TestPublishFromWithin(t *testing.T) {
	r, d := &receiver{}, newDisk(true)
	s := start(t, setup{attach: handlers(r), retained: d})
	sub, _ := connect(t, s, rawmqtt.Connect{ID: "sub"})
	sub.Subscribe(1, "#", 1)
	payload := []byte("one")
	if err := s.Publish(t.Context(), "site/1", payload, 1, true); err != nil {
		t.Fatal(err)
	}
	copy(payload, "two") // it is the caller's again
	if err := s.Publish(t.Context(), "site/1", []byte("zero"), 0, false); err != nil {
		t.Fatal(err)
	}
	if m := sub.Message(); m.Payload != "zero" {
		t.Fatalf("%+v", m)
	}
	sub.Quiet()
	r.commit(nil)
	if m := sub.Message(); m.Payload != "one" || m.QoS != 1 {
		t.Fatalf("%+v", m)
	}
	r.has(t, 2)
	if got := retainedSeen(t, s, "site/1"); !slices.Equal(got, []string{"site/1=one"}) {
		t.Fatal(got)
	}
	for _, err := range []error{s.Publish(t.Context(), "", nil, 0, false), s.Publish(t.Context(), "a", nil, 3, false), s.Publish(t.Context(), "$SYS/a", nil, 0, false)} {
		if err == nil {
			t.Error("published")
		}
	}
	r.refuse = func(context.Context) error { return edged.ErrFull }
	if err := s.Publish(t.Context(), "site/1", nil, 1, false); !errors.Is(err, edged.ErrFull) {
		t.Fatal(err)
	}
}

func TestPublishersFromWithinKeepTheirOrder(t *testing.T) {
	r := commits(t)
	s := start(t, setup{attach: handlers(r)})
	sub, _ := connect(t, s, rawmqtt.Connect{ID: "sub"})
	sub.Subscribe(1, "#", 1)
	const goroutines, n = 5, 100
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			for i := range n {
				if err := s.Publish(t.Context(), fmt.Sprintf("site/%d", g), []byte(fmt.Sprint(i)), 1, false); err != nil {
					t.Error(err)
				}
			}
		})
	}
	next := map[string]int{}
	for range goroutines * n {
		m := sub.Message()
		if m.Payload != fmt.Sprint(next[m.Topic]) {
			t.Fatalf("want %d, have %+v", next[m.Topic], m)
		}
		next[m.Topic]++
		sub.Ack(0x40, m.ID)
	}
	wg.Wait()
}

func TestReceiversGetEachPublishOnce(t *testing.T) {
	a, b := commits(t), commits(t)
	s := start(t, setup{})
	detach := s.Attach("a", []string{"site/#", "site/+", "site/1"}, a)
	s.Attach("b", []string{"#"}, b)
	w, _ := connect(t, s, rawmqtt.Connect{ID: "c"})
	w.Publish(rawmqtt.Publish{Topic: "site/1", QoS: 1, ID: 1}, rawmqtt.Publish{Topic: "other", QoS: 1, ID: 2}, rawmqtt.Publish{Topic: "site/2"})
	w.Acks(0x40, 1, 2)
	a.has(t, 2)
	b.has(t, 3)
	detach()
	w.Publish(rawmqtt.Publish{Topic: "site/1", QoS: 1, ID: 3})
	w.Acks(0x40, 3)
	a.has(t, 2)
	b.has(t, 4)
}

func TestATapSeesWhatASubscriberSees(t *testing.T) {
	r := &receiver{}
	s := start(t, setup{attach: handlers(r)})
	if err := s.Publish(t.Context(), "site", []byte("kept"), 0, true); err != nil {
		t.Fatal(err)
	}
	seen := make(chan string, 10)
	cancel := s.Tap("site/#", func(topic string, payload []byte, retained bool, _ int64) {
		seen <- fmt.Sprintf("%s=%s %t", topic, payload, retained)
	})
	w, _ := connect(t, s, rawmqtt.Connect{ID: "c"})
	w.Publish(rawmqtt.Publish{Topic: "site/1", QoS: 1, ID: 1, Payload: "one"}, rawmqtt.Publish{Topic: "site/1", Payload: "zero"},
		rawmqtt.Publish{Topic: "other"})
	for _, want := range []string{"site=kept true", "site/1=zero false"} {
		if got := <-seen; got != want {
			t.Fatalf("%q, want %q", got, want)
		}
	}
	w.Quiet()
	if len(seen) != 0 {
		t.Fatalf("seen before it was durable: %q", <-seen)
	}
	r.commit(nil)
	w.Acks(0x40, 1)
	if got := <-seen; got != "site/1=one false" {
		t.Fatal(got)
	}
	cancel()
	cancel()
	w.Publish(rawmqtt.Publish{Topic: "site/1"})
	w.Quiet()
	if len(seen) != 0 {
		t.Fatal("seen after it was cancelled")
	}
}

func TestWhatWaitsForATapIsBounded(t *testing.T) {
	s := start(t, setup{})
	begun, hold := make(chan struct{}, 100), make(chan struct{})
	var got []int
	var missed int64
	cancel := s.Tap("#", func(_ string, payload []byte, _ bool, m int64) {
		begun <- struct{}{}
		<-hold
		got, missed = append(got, len(payload)), missed+m
	})
	publish := func(bytes int) {
		t.Helper()
		if err := s.Publish(t.Context(), "a", make([]byte, bytes), 0, false); err != nil {
			t.Fatal(err)
		}
	}
	publish(1)
	<-begun // it is with the tap, and nothing is in the queue
	publish(2 * tapBytes)
	publish(1) // no room
	hold <- struct{}{}
	<-begun
	for range 10 {
		publish(tapBytes / 4)
	}
	hold <- struct{}{}
	for range 3 {
		<-begun
		hold <- struct{}{}
	}
	publish(2)
	close(hold)
	cancel()
	if want := []int{1, 2 * tapBytes, tapBytes / 4, tapBytes / 4, tapBytes / 4, 2}; !slices.Equal(got, want) || missed != 8 {
		t.Errorf("got %v, missed %d", got, missed)
	}
	if n := s.met.tapDropped.Get(); n != 8 {
		t.Errorf("%d are counted", n)
	}
}

func TestASlowTapStallsNobody(t *testing.T) {
	s := start(t, setup{})
	block := make(chan struct{})
	cancel := s.Tap("#", func(string, []byte, bool, int64) { <-block })
	for range 2 * tapQueue {
		if err := s.Publish(t.Context(), "a", nil, 1, false); err != nil {
			t.Fatal(err)
		}
	}
	await.Soon(t, "drops are counted", func() bool { return s.met.tapDropped.Get() >= tapQueue-1 })
	close(block)
	cancel()
}
