package batches

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"edged"
	"edged/internal/conf"
)

// tallied is a store that tells how much is put into it.
type tallied struct {
	*memStore
	puts, bytes int
}

func (m *tallied) Commit(ctx context.Context, u *edged.Update, soon bool) error {
	for _, p := range u.Puts {
		m.puts++
		m.bytes += len(p.Key) + len(p.Value)
	}
	return m.memStore.Commit(ctx, u, soon)
}

// devices is a block with a row of each of so many devices.
func devices(from, to int, at int64) *edged.Block {
	var msgs []msg
	for i := from; i < to; i++ {
		msgs = append(msgs, msg{fmt.Sprintf("site/%d/gpio/1", i), `{"value":1}`, at})
	}
	return blockOf("a", edged.Instant{Wall: at}, msgs...)
}

// A checkpoint writes what has changed since the last one, however much is open; and the log before it is needed no more.
func TestACheckpointWritesWhatHasChanged(t *testing.T) {
	for _, window := range []string{"tumbling 24h", "sliding 24h every 6h", "session 24h", "count 1000", "running"} {
		for _, early := range []time.Duration{0, 10 * time.Minute} {
			if early > 0 && window == "count 1000" {
				continue
			}
			t.Run(fmt.Sprint(window, early), func(t *testing.T) {
				c := byDevice(window)
				c.From, c.EmitEvery = []string{"a"}, conf.Duration(early)
				p := mustPlan(t, c)
				m := &tallied{memStore: newMemStore(p)}
				s := newStream(c, p, m.memStore)
				s.o.Store = m
				open(t, s)
				save := func() (puts, bytes int) {
					t.Helper()
					step(t, s)
					puts, bytes = m.puts, m.bytes
					if err := s.checkpoint(context.Background()); err != nil {
						t.Fatal(err)
					}
					return m.puts - puts, m.bytes - bytes
				}
				const many = 10000
				m.addBlock(devices(0, many, 100_000*sec))
				if puts, _ := save(); puts < many {
					t.Fatalf("%d puts", puts)
				}
				for i := range int64(5) {
					m.addBlock(devices(7, 10, (100_100+i)*sec))
				}
				if puts, bytes := save(); puts > 2*3+3 || bytes > 600 {
					t.Errorf("%d puts and %d bytes after rows of three groups", puts, bytes)
				}
				if puts, bytes := save(); puts > 1 || bytes > 100 {
					t.Errorf("%d puts and %d bytes after nothing", puts, bytes)
				}
				if need, _ := s.rec.cursor("pins").Need.Next(0); need != m.End() {
					t.Errorf("the log is needed from %d on, of %d", need, m.End())
				}
			})
		}
	}
}

// The results of a stream after a restart on a store of which some values cannot be read: what is gone is missing from them, and they say so.
func TestTornStatesSayPartial(t *testing.T) {
	for name, at := range map[string]struct {
		window string
		early  bool
		bad    string
	}{
		"session":        {"session 10s", false, "s"},
		"session header": {"session 10s", true, "h"},
		"count":          {"count 3", false, "k"},
		"count header":   {"count 3", false, "h"},
		"running":        {"running", true, "k"},
		"running header": {"running", false, "h"},
		"marks":          {"tumbling 10s", true, "v"},
		"early groups":   {"tumbling 10s", true, "g"},
	} {
		t.Run(name, func(t *testing.T) {
			c := byDevice(at.window)
			c.From = []string{"a"}
			if at.early {
				c.EmitEvery = conf.Duration(2 * time.Second)
			}
			p := mustPlan(t, c)
			m := newMemStore(p)
			s := newStream(c, p, m)
			open(t, s)
			feedBlock(m, 921*sec, `{"value":1}`)
			feedBlock(m, 922*sec, `{"value":2}`)
			step(t, s)
			if err := s.checkpoint(context.Background()); err != nil {
				t.Fatal(err)
			}
			had := len(m.results["pins"])
			feedBlock(m, 923*sec, `{"value":3}`)
			s = newStream(c, p, m)
			s.o.Store = torn{m, map[string]bool{"state/pins " + at.bad: true}}
			open(t, s)
			feedBlock(m, 924*sec, `{"value":3}`)
			feedBlock(m, 925*sec, `{"value":3}`)
			feedBlock(m, 926*sec, `{"value":3}`)
			m.addTick("a", edged.Instant{Wall: 1000 * sec})
			step(t, s)
			if st := s.Status(); !st.Balanced || st.Pending != 0 {
				t.Errorf("the ledger does not balance: %+v", st)
			}
			all := allGiven(t, m)
			if len(all) <= had || !all[had].partial {
				t.Errorf("%+v", all[had:])
			}
			if err := s.checkpoint(context.Background()); err != nil {
				t.Fatal(err)
			}
			again := newStream(c, p, m)
			var log strings.Builder
			again.o.Log = slog.New(slog.NewTextHandler(&log, nil))
			open(t, again)
			if log.Len() > 0 {
				t.Errorf("what could not be read is still there: %s", log.String())
			}
		})
	}
}

// What is open when the definition changes leaves as partial, once.
func TestOpenWindowsLeaveAtAChange(t *testing.T) {
	for window, want := range map[string]int{"session 1m": 2, "count 3": 2, "batch": 0, "running": 0} {
		c := byDevice(window)
		c.From = []string{"a"}
		p := mustPlan(t, c)
		m := newMemStore(p)
		s := newStream(c, p, m)
		open(t, s)
		m.addBlock(devices(1, 3, 1000*sec))
		m.addTick("a", edged.Instant{Wall: 1000 * sec})
		step(t, s)
		m.ride(s)
		had := len(allGiven(t, m))
		changed := byDevice("tumbling 1m")
		changed.From = []string{"a"}
		s = newStream(changed, mustPlan(t, changed), m)
		open(t, s)
		left := allGiven(t, m)[had:]
		if len(left) != want || slices.ContainsFunc(left, func(g given) bool { return !g.partial || g.n != 1 }) {
			t.Errorf("%s: %+v", window, left)
		}
		if n := len(m.values["state/pins"]); n != 1 {
			t.Errorf("%s: %d values of the old state are left", window, n)
		}
	}
}
