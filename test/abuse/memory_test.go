package abuse

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"edged/test/cgroup"
	"edged/test/harness"
	"edged/test/rawmqtt"
	"edged/test/strain"
)

// What the gateway has to do with 128 MiB in all, the kernel's share for its files included.
const (
	limit       = 128 << 20
	idle        = 2000
	deaf        = 200
	publishers  = 50
	perSecond   = 100 // of each publisher
	ackP99      = 500 * time.Millisecond
	latest      = 5 * time.Second // the slowest acknowledgement of all
	entersIn    = time.Second     // a new client, with connection, subscription and round trip
	payloadSize = 100
)

// TestMemoryLimit runs the gateway in a small cgroup, fills it with clients that are idle or deaf, and has others work.
func TestMemoryLimit(t *testing.T) {
	group := cgroup.Memory(t, limit)
	gw := harness.New(t, strings.Replace(config, "memory_limit = \"48MiB\"\n", "", 1)) // auto looks at the cgroup
	gw.Wrap = group.Wrap
	gw.Start()
	ended := gw.Ended()
	a := &arena{T: t, addr: fmt.Sprintf("127.0.0.1:%d", gw.Broker)}
	t.Cleanup(a.leave)

	crowd(idle, func(i int) { a.enter(rawmqtt.Connect{ID: name("idle", i), V5: i%2 == 0}) })
	crowd(deaf, func(i int) {
		if w := a.enter(rawmqtt.Connect{ID: name("deaf", i), V5: i%2 == 0, Keep: i%4 < 2}); w != nil {
			if err := w.Ask(1, "#", byte(i%3)); err != nil {
				t.Error(err)
			}
		}
	})
	t.Logf("with %d idle and %d deaf clients: %d MiB", idle, deaf, anonKiB(gw.PID())>>10)
	readers := listenWell(a)
	if t.Failed() {
		return
	}
	newcomers, strained := newcomers(a.addr), strain.Watch(t, "")
	d := some(3*time.Second, 60*time.Second)
	sent, acks := work(a, d)
	slowest, entered := newcomers()
	s := strained()

	t.Logf("the test itself waited: %+v", s)
	t.Logf("%d publishes in %v; acknowledged after %v (half), %v (99 %%), %v (all); %d new clients, the slowest in %v; memory %d MiB, most in the cgroup %d MiB, at the limit %d times",
		sent, d, acks.at(50), acks.at(99), acks.at(100), entered, slowest, anonKiB(gw.PID())>>10, group.Figure(t, "memory.max_usage_in_bytes")>>20, group.Figure(t, "memory.failcnt"))
	if want := publishers * perSecond * int(d/time.Second); sent < want*9/10 {
		t.Errorf("%d publishes, want about %d: the test did not do what it says", sent, want)
	}
	if len(acks) != sent {
		t.Errorf("%d publishes, %d acknowledgements", sent, len(acks))
	}
	if p := acks.at(99); p > s.Excuse(ackP99) || acks.at(100) > s.Excuse(latest) {
		t.Errorf("99 %% of the acknowledgements came within %v, all within %v; want %v and %v", p, acks.at(100), ackP99, latest)
	}
	if slowest > s.Excuse(entersIn) || entered == 0 {
		t.Errorf("%d new clients got in, the slowest in %v; want %v", entered, slowest, entersIn)
	}
	for _, r := range readers {
		r.check(t, gw, sent, ended)
	}
	select {
	case <-ended:
		t.Fatal("the process has ended; if it wrote nothing, the kernel killed it at the limit")
	default:
	}
	if n := gw.Metric("edged_broker_panics_total"); n != 0 {
		t.Errorf("%v panics", n)
	}
}

// reader is a well-behaved subscriber. It gets the messages of the publishers in order, each once: all of them, but for those that the broker says it has
// dropped because they were not read in time, as it may.
type reader struct {
	*rawmqtt.Client
	id   string
	name string
	got  atomic.Int64
	next map[string]int // payload number by topic
	bad  atomic.Int64   // came again, or behind a later one
}

func listenWell(a *arena) (all []*reader) {
	for i, qos := range []byte{0, 1, 1, 2} {
		r := &reader{id: name("reader", i), name: fmt.Sprintf("%s with QoS %d", version(i%2 == 0), qos), next: map[string]int{}}
		r.Client = a.enter(rawmqtt.Connect{ID: r.id, V5: i%2 == 0})
		if r.Client == nil {
			return nil
		}
		if err := r.Ask(1, "site/steady/#", qos); err != nil {
			a.Error(err)
			return nil
		}
		go r.read()
		all = append(all, r)
	}
	return all
}

func (r *reader) read() {
	for {
		f, err := r.TryRead(10 * time.Minute)
		if err != nil {
			return
		}
		m, ok := f.Message()
		switch {
		case f.Kind == 0x62:
			_, _ = r.Write(rawmqtt.Ack(0x70, f.ID()))
		case ok:
			if m.QoS > 0 {
				_, _ = r.Write(rawmqtt.Ack(0x30+m.QoS<<4, m.ID)) // PUBACK, PUBREC
			}
			n := 0
			fmt.Sscan(m.Payload, &n)
			if n < r.next[m.Topic] {
				r.bad.Add(1)
			}
			r.next[m.Topic] = n + 1
			r.got.Add(1)
		}
	}
}

func (r *reader) check(t *testing.T, gw *harness.Edged, sent int, ended <-chan struct{}) {
	t.Helper()
	dropped := int64(0)
	for end := time.After(restWithin); r.got.Load()+dropped < int64(sent); {
		select {
		case <-ended:
		case <-end:
		case <-time.After(100 * time.Millisecond):
			dropped = int64(gw.Client(t, r.id).Dropped)
			continue
		}
		break
	}
	if r.got.Load()+dropped != int64(sent) || r.bad.Load() > 0 {
		t.Errorf("a well-behaved subscriber, %s, got %d of %d messages, and %d were dropped and counted; %d came again, or behind later ones of their topic", r.name, r.got.Load(), sent, dropped, r.bad.Load())
	}
	if dropped > 0 {
		t.Logf("%s read too slowly for %d of %d messages", r.name, dropped, sent)
	}
}

// newcomers has new clients come again and again until the function is called, which says how long the slowest took: an
// hour if one did not get in.
func newcomers(addr string) func() (time.Duration, int) {
	done, out := make(chan struct{}), make(chan time.Duration)
	n := 0
	go func() {
		var worst time.Duration
		for {
			begin := time.Now()
			g, err := newGood(addr, n%2 == 0)
			if err == nil {
				_, err = g.trip()
				g.Drop()
			}
			if n++; err != nil {
				worst = time.Hour
				<-done
				out <- worst
				return
			}
			worst = max(worst, time.Since(begin))
			select {
			case <-done:
				out <- worst
				return
			case <-time.After(100 * time.Millisecond):
			}
		}
	}()
	return func() (time.Duration, int) {
		close(done)
		return <-out, n
	}
}
