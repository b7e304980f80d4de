package broker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"edged/test/await"
	"edged/test/rawmqtt"

	"edged"
)

func numbered(topic string, qos byte, from, to int) (ms []edged.Message) {
	for i := from; i < to; i++ {
		ms = append(ms, edged.Message{Topic: topic, Payload: fmt.Append(nil, i), QoS: qos})
	}
	return ms
}

type publishing struct {
	done int
	err  error
}

// publishes publishes on a goroutine.
func publishes(ctx context.Context, p *Inner, ms []edged.Message) <-chan publishing {
	out := make(chan publishing, 1)
	go func() {
		done, err := p.Publish(ctx, ms)
		out <- publishing{done, err}
	}()
	return out
}

// What an inner publisher is told to be done is durable; subscribers get it then, in order.
func TestAnInnerPublishIsDoneWhenItIsDurable(t *testing.T) {
	r := &receiver{}
	s := start(t, setup{attach: handlers(r)})
	sub, _ := connect(t, s, rawmqtt.Connect{ID: "sub"})
	sub.Subscribe(1, "#", 0)
	p := s.NewInner()
	out := publishes(t.Context(), p, append(numbered("site/1", 1, 0, 5), numbered("site/1", 2, 5, 10)...))
	r.has(t, 10)
	sub.Quiet()
	if len(out) != 0 {
		t.Fatal("done before it was durable")
	}
	r.commit(nil)
	if got := <-out; got != (publishing{10, nil}) {
		t.Fatal(got)
	}
	for i := range 10 {
		if m := sub.Message(); m.Payload != fmt.Sprint(i) {
			t.Fatalf("%+v, want %d", m, i)
		}
	}
	if !p.Ready() {
		t.Error("not ready")
	}
	p.Close()
	p.Close()
}

// Nobody waits for what nobody wants, nor for QoS 0; what it keeps meanwhile is given back.
func TestAnInnerPublishThatNobodyWants(t *testing.T) {
	s := start(t, setup{})
	p := s.NewInner()
	for range 20 {
		if done, err := p.Publish(t.Context(), append(numbered("a", 1, 0, 3000), numbered("a", 0, 0, 10)...)); done != 3010 || err != nil {
			t.Fatal(done, err)
		}
	}
	await.Soon(t, "nothing is under way", func() bool { return s.in.Pending() == 0 })
}

// A retained message of an inner publisher is durable, too, before it is done.
func TestAnInnerPublishThatIsRetained(t *testing.T) {
	d := newDisk(false)
	s := start(t, setup{retained: d})
	out := publishes(t.Context(), s.NewInner(), []edged.Message{{Topic: "a", Payload: []byte("x"), QoS: 1, Retain: true}})
	await.Soon(t, "it is on its way to the disk", func() bool { return d.waiting() == 1 })
	if len(out) != 0 {
		t.Fatal("done before it was durable")
	}
	d.commit(1, nil)
	if got := <-out; got != (publishing{1, nil}) {
		t.Fatal(got)
	}
}

func TestWhatKeepsAnInnerPublishOff(t *testing.T) {
	r := &receiver{}
	s := start(t, setup{attach: handlers(r)})
	p := s.NewInner()
	out := publishes(t.Context(), p, []edged.Message{{Topic: "site/a", QoS: 1}, {Topic: "$SYS/a", QoS: 1}, {Topic: "site/b", QoS: 1}})
	r.has(t, 1)
	r.commit(nil)
	if got := <-out; got.done != 1 || edged.ClassOf(got.err) != edged.Poison {
		t.Error("a topic that is none:", got)
	}
	out = publishes(t.Context(), p, numbered("site/a", 1, 0, 3))
	r.has(t, 4)
	r.commit(errors.New("the disk is gone"))
	if got := <-out; got.done != 0 || !errors.Is(got.err, errNotStored) {
		t.Error("a commit that failed:", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	out = publishes(ctx, p, numbered("site/a", 1, 0, 3))
	r.has(t, 7)
	cancel()
	if got := <-out; got.done != 0 || !errors.Is(got.err, context.Canceled) {
		t.Error("a context that ended:", got)
	}
	r.commit(nil)
	r.refuse = func(context.Context) error { return edged.ErrFull }
	if done, err := p.Publish(t.Context(), numbered("site/a", 1, 0, 3)); done != 0 || !errors.Is(err, edged.ErrFull) {
		t.Error("a full store:", done, err)
	}
	s.in.Stop()
	if done, err := p.Publish(t.Context(), numbered("site/a", 1, 0, 3)); done != 0 || !errors.Is(err, edged.ErrStopped) {
		t.Error("a broker that stops:", done, err)
	}
}

// An inner publisher with much under way does not hold up another.
func TestInnerPublishersHaveRoomOfTheirOwn(t *testing.T) {
	r := &receiver{}
	s := start(t, setup{attach: handlers(r)})
	sub, _ := connect(t, s, rawmqtt.Connect{ID: "sub"})
	sub.Subscribe(1, "site/small", 0)
	var large []edged.Message
	for range 40 {
		large = append(large, edged.Message{Topic: "site/large", Payload: make([]byte, 64<<10), QoS: 1})
	}
	big, _ := connect(t, s, rawmqtt.Connect{ID: "big"}) // somebody wants it, so that it is kept
	big.Subscribe(1, "site/large", 0)
	first := publishes(t.Context(), s.NewInner(), large)
	await.Soon(t, "the first is held back", func() bool { return r.count() >= 15 })
	second := publishes(t.Context(), s.NewInner(), numbered("site/small", 1, 0, 3))
	await.Soon(t, "the other is taken in", func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return slices.ContainsFunc(r.stored, func(m edged.Message) bool { return m.Topic == "site/small" && string(m.Payload) == "2" })
	})
	await.Soon(t, "both are done", func() bool { r.commit(nil); return len(first) == 1 && len(second) == 1 })
	if a, b := <-first, <-second; a != (publishing{40, nil}) || b != (publishing{3, nil}) {
		t.Error(a, b)
	}
}
