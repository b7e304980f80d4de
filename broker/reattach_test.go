package broker

import (
	"context"
	"fmt"
	"sync"
	"testing"
)

// While a receiver's filters change back and forth, what both take is taken once, always; the former detach does nothing any more, the last
// one takes it away.
func TestAReceiverIsReattached(t *testing.T) {
	r := &receiver{}
	s := start(t, setup{})
	first := s.Attach("r", []string{"a/#", "only/a"}, r)
	last := first
	stop, changed := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(changed)
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			default:
				last = s.Reattach("r", [][]string{{"a/+", "only/b"}, {"a/#", "only/a"}}[n%2], r, true)
			}
		}
	}()
	const n, each = 4, 500
	var wg sync.WaitGroup
	for g := range n {
		wg.Go(func() {
			for i := range each {
				if err := s.Publish(context.Background(), fmt.Sprintf("a/%d", g*each+i), nil, 0, false); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	close(stop)
	<-changed
	r.has(t, n*each)
	first()
	s.Reattach("r", []string{"b"}, r, true)
	last() // it is not the present one
	for _, topic := range []string{"a/1", "b", "only/a"} {
		if err := s.Publish(t.Context(), topic, nil, 0, false); err != nil {
			t.Fatal(err)
		}
	}
	r.has(t, n*each+1)
	s.Reattach("r", []string{"b"}, r, true)()
	if err := s.Publish(t.Context(), "b", nil, 0, false); err != nil {
		t.Fatal(err)
	}
	r.has(t, n*each+1)
}
