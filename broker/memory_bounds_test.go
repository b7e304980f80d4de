package broker

import (
	"fmt"
	"strings"
	"testing"

	"edged/test/await"
	"edged/test/rawmqtt"
)

// The memory of all filters is bounded. A greedy client does not shut out those that have few.
func TestTheMemoryOfFiltersIsBounded(t *testing.T) {
	const length = 60_000
	s := start(t, setup{cfg: func(c *Config) { c.MaxPacketSize = 32 << 20 }})
	greedy, _ := rawmqtt.Login(t, s.addr, rawmqtt.Connect{ID: "greedy", V5: true})
	ask := func(w *rawmqtt.Client, name string, n, length int) (granted int) {
		var filters []rawmqtt.Filter
		for i := range n {
			filters = append(filters, rawmqtt.Filter{Name: filterOf(name, i, length)})
		}
		w.Send(rawmqtt.Subscription(true, 1, nil, filters...))
		for _, code := range w.Read().Codes() {
			switch code {
			case 0:
				granted++
			case 0x97:
			default:
				t.Fatalf("%s: %02X", name, code)
			}
		}
		return granted
	}
	if n, want := ask(greedy, "g", 200, length), maxFilterBytes/(2*(length+1)+levelSize); n != want {
		t.Errorf("it got %d filters, want %d", n, want)
	}
	other, _ := rawmqtt.Login(t, s.addr, rawmqtt.Connect{ID: "other", V5: true})
	if n := ask(other, "o", 100, 1000); n != 100 {
		t.Errorf("the other got %d of 100", n)
	}
	for range 8 { // what it gives up is not held against it
		if n := ask(other, "q", 10, length); n != 10 {
			t.Fatalf("the other got %d of 10", n)
		}
		for i := range 10 {
			other.Send(rawmqtt.Unsubscribe(true, 2, filterOf("q", i, length)))
			other.Acks(0xB0, 2)
		}
	}
	if n := ask(greedy, "h", 20, length); n != 0 {
		t.Errorf("the greedy one got %d more", n)
	}
	greedy.Disconnect()
	await.Soon(t, "its session has ended", func() bool { return s.sessions.get("greedy") == nil })
	if n := ask(other, "p", 100, length); n != 100 {
		t.Errorf("then the other got %d of 100", n)
	}
	other.Disconnect()
	await.Soon(t, "nothing is counted any more", func() bool {
		s.sessions.mu.Lock()
		defer s.sessions.mu.Unlock()
		return s.sessions.filterBytes == 0
	})
}

func filterOf(name string, i, length int) string {
	return fmt.Sprintf("%s%04d", name, i) + strings.Repeat("x", length-4)
}

func TestTheBacklogOfAllClientsIsBounded(t *testing.T) {
	cfg := Default()
	cfg.MaxWriteBacklog = 64 << 10
	for _, c := range []struct {
		all    int64
		lively bool
		want   int
	}{
		{0, false, 64 << 10}, {backlogsTotal, false, 64 << 10}, {backlogsTotal + 1, false, backlogLeast},
		{backlogsTotal + 1, true, backlogLively}, {4 * backlogsTotal, true, backlogLively}, {4*backlogsTotal + 1, true, backlogLeast},
	} {
		if n := cfg.backlog(c.all, c.lively); n != c.want {
			t.Errorf("%+v: %d", c, n)
		}
	}
	for _, c := range []struct {
		size, have int
		all        int64
		lively     bool
		want       bool
	}{
		{64 << 10, 0, 0, false, true}, {60 << 10, 4 << 10, 0, false, true}, {60 << 10, 4<<10 + 1, 0, false, false}, // its own
		{1 << 20, 0, 0, false, true}, {1 << 20, 1, 0, false, false}, // one that is larger than that
		{1 << 20, 0, 3*backlogsTotal - 1<<20, false, true}, {1<<20 + 1, 0, 3*backlogsTotal - 1<<20, false, false}, // unless all have had enough
		{4 << 10, 0, 4 * backlogsTotal, false, true}, {4 << 10, 1, 4 * backlogsTotal, false, false}, // and little is there for everyone
		{8 << 10, 1, backlogsTotal + 1, true, true}, {8 << 10, 1, backlogsTotal + 1, false, false}, // who reads has a part that the others cannot take
	} {
		if ok := cfg.roomFor(c.size, c.have, c.all, c.lively); ok != c.want {
			t.Errorf("%+v: %v", c, ok)
		}
	}
	cfg.MaxWriteBacklog = 1 << 10
	if n := cfg.backlog(backlogsTotal+1, false); n != 1<<10 {
		t.Errorf("less than max_write_backlog never becomes more: %d", n)
	}
}

// What is on its way to clients is counted, and not counted any more when it was written or its connection has ended.
func TestTheBacklogIsCounted(t *testing.T) {
	s := start(t, setup{cfg: func(c *Config) { c.MaxWriteBacklog = 1 << 20 }})
	w, _ := rawmqtt.Login(t, s.addr, rawmqtt.Connect{ID: "c"})
	w.Subscribe(1, "a", 0)
	s.stuff(t, "a")
	if n := s.backlogs.Load(); n < 1<<19 {
		t.Errorf("%d bytes are counted", n)
	}
	w.Drop()
	await.Soon(t, "nothing is counted any more", func() bool { return s.backlogs.Load() == 0 })
}

// stuff publishes QoS 0 to a topic until a subscriber that reads nothing takes no more.
func (s *server) stuff(t *testing.T, topic string) {
	t.Helper()
	payload := []byte(strings.Repeat("x", 100<<10))
	for before := s.met.congested.Get(); s.met.congested.Get() < before+100; { // the sockets take the first few in their time
		if err := s.Publish(t.Context(), topic, payload, 0, false); err != nil {
			t.Fatal(err)
		}
	}
}
