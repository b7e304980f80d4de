package remote

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"edged/test/await"

	"edged"
)

// dialed makes a sender that is closed at the end of the test, together with what it has handed to paho.
func dialed(t testing.TB, a *Access) *Sender {
	t.Helper()
	s, err := Dial(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close(); s.fed.Wait() })
	return s
}

func numbered(topic string, qos byte, from, to int) (ms []edged.Message) {
	for i := from; i < to; i++ {
		ms = append(ms, edged.Message{Topic: topic, Payload: fmt.Append(nil, i), QoS: qos})
	}
	return ms
}

func TestASenderPublishesInOrder(t *testing.T) {
	t.Parallel()
	m := newMosquitto(t)
	h := &handler{}
	run(t, m.config(), []string{"site/#"}, &memory{}, h).connected(t, 1)
	s := dialed(t, m.sender())
	want := 0
	for qos := range byte(3) {
		if done, err := s.Publish(t.Context(), numbered("site/1", qos, want, want+500)); done != 500 || err != nil {
			t.Fatal(qos, done, err)
		}
		want += 500
	}
	await.Soon(t, "all arrive", func() bool { h.commit(nil); return len(h.payloads()) >= want })
	for i, p := range h.payloads() {
		if p != fmt.Sprint(i) {
			t.Fatalf("%s in place of %d", p, i)
		}
	}
	if done, err := s.Publish(t.Context(), nil); done != 0 || err != nil {
		t.Error(done, err)
	}
}

// sender is the access of another client.
func (m *mosquitto) sender() *Access {
	a := m.config().Access
	a.ClientID = "sender"
	return &a
}

// Many are under way at a time, no more than the bound, and done counts acknowledgements and nothing else.
func TestASenderCountsAcknowledgements(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.serve(func(s *session) {
		s.accept(0, false)
		first := s.publish()
		for i := 1; i < sending; i++ {
			s.publish() // unacknowledged, and no further one comes
		}
		_ = s.c.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		if _, err := s.c.Read(make([]byte, 1)); err == nil {
			f.t.Error("too many are under way")
		}
		_ = s.c.SetReadDeadline(time.Time{})
		s.ack(first)
		s.ack(s.publish())
	})
	s := dialed(t, &f.config().Access)
	done, err := s.Publish(t.Context(), numbered("a", 1, 0, 1000))
	if done != 1 || !errors.Is(err, errLost) || edged.ClassOf(err) != edged.Retryable {
		t.Fatal(done, err)
	}
	if cause, remedy := edged.Explanation(err); cause != "the connection was lost" || remedy == "" {
		t.Error(cause, remedy)
	}
	if done, again := s.Publish(t.Context(), numbered("a", 1, 0, 1)); done != 0 || again == nil || s.Ready() {
		t.Error("it is used again after it failed:", done, again)
	}
}

func TestASenderNoticesALossInIdleness(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.serve(func(s *session) { s.accept(0, false) })
	s := dialed(t, &f.config().Access)
	await.Soon(t, "the loss is noticed", func() bool { return !s.Ready() })
	if done, err := s.Publish(t.Context(), numbered("a", 1, 0, 1)); done != 0 || !errors.Is(err, errLost) {
		t.Error(done, err)
	}
}

// A context that ends ends a publish, also when the broker reads nothing any more.
func TestASenderThatIsCancelled(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	release := make(chan struct{})
	var once sync.Once
	t.Cleanup(func() { once.Do(func() { close(release) }) })
	f.serve(func(s *session) {
		s.accept(0, false)
		s.publish()
		<-release
	})
	s := dialed(t, &f.config().Access)
	ms := make([]edged.Message, 90)
	for i := range ms {
		ms[i] = edged.Message{Topic: "a", Payload: make([]byte, 1<<20), QoS: 1}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	began := time.Now()
	if done, err := s.Publish(ctx, ms); done != 0 || !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > patient/2 {
		t.Error(done, err, time.Since(began))
	}
	once.Do(func() { close(release) })
}

// What an error says of a broker that cannot be reached, or does not let one in.
func TestWhyASenderHasNoConnection(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	a := &f.config().Access
	_ = f.l.Close()
	_, err := Dial(t.Context(), a)
	if cause, remedy := edged.Explanation(err); cause != "connection refused" || remedy != "check that the broker runs, and broker's port" || edged.ClassOf(err) != edged.Retryable {
		t.Errorf("%v: %s; %s", err, cause, remedy)
	}
	f = newFake(t)
	f.serve(func(s *session) { s.accept(5, false) })
	a = &f.config().Access
	a.Username = "me"
	_, err = Dial(t.Context(), a)
	if cause, remedy := edged.Explanation(err); cause != `the broker refuses user "me"` || !strings.Contains(remedy, "password_file") || edged.ClassOf(err) != edged.Permanent {
		t.Errorf("%v: %s; %s", err, cause, remedy)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Dial(ctx, a); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
