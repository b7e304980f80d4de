package bench

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"edged/internal/daemon"
	"edged/test/harness"
	"edged/test/load"
)

const (
	whole     = load.Whole
	rawStream = load.Raw
	intake    = load.Gateway + "[store]\n" // takes messages in, and has no stream
)

// burst makes the write budget's burst as small as it can be, so that it is spent in a moment: what follows is as after 384 MB.
const burst = "write_burst = \"1MiB\"\n"

// store adds lines to the table of the store.
func store(config, lines string) string {
	return load.With(config, "store", lines)
}

// gateway is edged under load.
type gateway struct {
	*harness.Edged
	addr string
}

func prepared(t testing.TB, config string) *gateway {
	mayLaunch()
	e := harness.New(t, config)
	return &gateway{e, fmt.Sprintf("127.0.0.1:%d", e.Broker)}
}

func started(t testing.TB, config string) *gateway {
	g := prepared(t, config)
	g.Start()
	return g
}

// end kills the gateway and removes what it stored.
func (g *gateway) end() {
	g.Kill()
	removed(g.Dir)
}

// removed removes what a turn has written, and returns when the disk is done with it: the next turn, of whoever it is, does not pay for this one.
func removed(path string) {
	_ = os.RemoveAll(path)
	syscall.Sync()
}

// reach is how far the message that came last has come.
type reach struct{ received, raw, windows uint64 }

func reached(s daemon.Status) (r reach) {
	for _, in := range s.Receivers {
		r.received += in.Received - in.Rejected
	}
	for _, st := range s.Streams {
		if st.Windowed {
			r.windows += st.Applied
		}
	}
	for _, k := range s.Sinks {
		for _, d := range k.Deliveries {
			if d.Stream == "raw" {
				r.raw += d.Delivered
			}
		}
	}
	return r
}

// held waits until the raw rows and the windows hold so many messages more than at from, as far as there is a stream of the sort, and returns when. It asks
// so often; an answer costs the gateway some time too.
func (g *gateway) held(t testing.TB, from reach, messages uint64, every time.Duration) time.Time {
	t.Helper()
	s := g.Status()
	var raw, windows bool
	for _, st := range s.Streams {
		windows = windows || st.Windowed
		raw = raw || !st.Windowed
	}
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(every) {
		r := reached(g.Status())
		if (!raw || r.raw >= from.raw+messages) && (!windows || r.windows >= from.windows+messages) {
			return time.Now()
		}
		if time.Now().After(end) {
			t.Fatalf("of %d messages %d are in the raw rows and %d in the windows", messages, r.raw-from.raw, r.windows-from.windows)
		}
	}
}

// pressing is what a load did to the gateway.
type pressing struct {
	published
	messages float64 // held
	rate     float64 // messages a second, from the first publish until everything holds them
	tail     float64 // seconds of that after the last acknowledgement
	cpu      float64 // seconds for a million
	rss      float64 // bytes of anonymous memory, at most
}

// press publishes, waits until everything holds what was acknowledged, or with QoS 0 what arrived, and says how it went.
func (g *gateway) press(t testing.TB, args ...any) (p pressing) {
	t.Helper()
	if !slices.Contains(args, any("-rate")) { // begun at once after the start, it would end at the same place of a batch interval each time
		time.Sleep(rand.N(time.Second))
	}
	from, before := reached(g.Status()), cpu(g.PID())
	stop := g.watch(&p.rss)
	p.published = publish(t, g.addr, g.PID(), args...)
	messages := uint64(p.Acked)
	if p.Acked == 0 {
		messages = reached(g.Status()).received - from.received
	}
	if messages == 0 {
		t.Fatal("no message arrived")
	}
	every := 10 * time.Millisecond
	if slices.Contains(args, any("-rate")) { // its own rate is known: processor time counts
		every = 200 * time.Millisecond
	}
	took := g.held(t, from, messages, every).Sub(time.Unix(0, p.Began)).Seconds()
	stop()
	p.messages = float64(messages)
	p.rate, p.tail = p.messages/max(took, 1e-3), took-p.Seconds
	p.cpu = (cpu(g.PID()) - before) / p.messages * 1e6
	return p
}

// watch notes the most anonymous memory that there is, until it is told to stop.
func (g *gateway) watch(most *float64) (stop func()) {
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			*most = max(*most, anonymous(g.PID()))
			select {
			case <-done:
				return
			case <-time.After(50 * time.Millisecond):
			}
		}
	})
	return func() { close(done); wg.Wait() }
}

// spend publishes until the write budget is spent: from then on commits keep to the cadence.
func (g *gateway) spend(t testing.TB) {
	t.Helper()
	for range 30 { // with a longer cadence commits are few, and large
		publish(t, g.addr, g.PID(), "-n", 50, "-w", 1000, "-qos", 1, "-rate", 2000, "-spread", "-d", "1s", "-topic", "site/{conn}/gpio/{pin}", "-id", "spend-")
		if g.Status().Store.Budget.Spent {
			time.Sleep(time.Second)
			return
		}
	}
	t.Fatal("the write budget is not spent after 30 s of 2,000 messages a second")
}

// lines counts the rows of a file that the gateway wrote.
func (g *gateway) lines(t testing.TB, name string) (n int) {
	t.Helper()
	f, err := os.Open(filepath.Join(g.Dir, name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for buf := make([]byte, 1<<20); ; {
		k, err := f.Read(buf)
		n += bytes.Count(buf[:k], []byte{'\n'})
		if err == io.EOF {
			return n
		} else if err != nil {
			t.Fatal(err)
		}
	}
}
