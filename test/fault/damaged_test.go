package fault

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"edged/internal/daemon"
	"edged/test/harness"
	"edged/test/rawmqtt"
	"edged/test/verdict"
)

// A store with an undelivered backlog is damaged while the gateway is not running. The gateway starts; every block of which no byte was
// touched is delivered; what is missing is named in the status.
func TestADamagedStore(t *testing.T) {
	t.Parallel()
	o := leaveBehind(t)
	cases := o.damages(all())
	var total tally
	t.Run("cases", func(t *testing.T) {
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				total.add(o.restart(t, c))
			})
		}
	})
	total.verdict(fmt.Sprintf("damaged store file, %d ways", len(cases))).Holds(t)
}

// A gateway that finds its store gone begins with an empty one and has nothing to say: that is what a silent reset looks like, and the
// check sees it.
func TestASilentResetIsNoticed(t *testing.T) {
	t.Parallel()
	o := leaveBehind(t)
	var total tally
	total.add(o.restart(t, damage{name: "gone", apply: func(path string) error { return os.Remove(path) }, touched: everything}))
	total.verdict("damaged store file: a gateway that begins anew and says nothing").Breaks(t)
}

// damage is a way to damage the file, and what of it the damage touches.
type damage struct {
	name    string
	apply   func(path string) error
	touched func(from, to int) bool
}

func everything(int, int) bool { return true }

// edit damages bytes of the file, and nothing else.
func (o *backlog) edit(name string, f func(b []byte) []byte) damage {
	was := o.files["edged.db"]
	is := f(slices.Clone(was))
	touched := func(from, to int) bool {
		return to > len(is) || !bytes.Equal(was[max(from, 0):to], is[max(from, 0):to])
	}
	return damage{name, func(path string) error { return os.WriteFile(path, is, 0o600) }, touched}
}

// damages are the ways, the same at each run.
func (o *backlog) damages(many bool) (out []damage) {
	file := o.files["edged.db"]
	used := len(bytes.TrimRight(file, "\x00"))
	add := func(name string, f func(b []byte) []byte) { out = append(out, o.edit(name, f)) }
	random := func(name string, n int, f func(r *rand.Rand, b []byte) []byte) {
		if many {
			n *= 30
		}
		for i := range n {
			add(fmt.Sprintf("%s %d", name, i), func(b []byte) []byte { return f(rand.New(rand.NewPCG(uint64(i), 4)), b) })
		}
	}
	for _, k := range []int{1, 8, 64} {
		random(fmt.Sprintf("%d flipped bits", k), 2, func(r *rand.Rand, b []byte) []byte {
			for range k {
				b[r.IntN(used)] ^= 1 << r.IntN(8)
			}
			return b
		})
	}
	random("truncated", 3, func(r *rand.Rand, b []byte) []byte { return b[:r.IntN(used)] })
	random("a run of zeros", 2, func(r *rand.Rand, b []byte) []byte {
		from := r.IntN(used)
		clear(b[from:min(used, from+1+r.IntN(100<<10))])
		return b
	})
	random("a run of noise", 1, func(r *rand.Rand, b []byte) []byte {
		from := r.IntN(used)
		for i := range b[from:min(used, from+1+r.IntN(30<<10))] {
			b[from+i] = byte(r.Uint32())
		}
		return b
	})
	random("every tenth page zeroed", 1, func(r *rand.Rand, b []byte) []byte {
		for at := 4096 * r.IntN(10); at+4096 <= used; at += 40960 {
			clear(b[at : at+4096])
		}
		return b
	})
	for i, name := range []string{"first meta page", "second meta page"} {
		add(name+" zeroed", func(b []byte) []byte { clear(b[i*4096 : (i+1)*4096]); return b })
		add(name+" flipped", func(b []byte) []byte { b[i*4096+32] ^= 1; return b })
	}
	add("both meta pages zeroed", func(b []byte) []byte { clear(b[:8192]); return b })
	named := []string{"delivery/raw/cloud", "stream/pins", "sink/archive", "Sdefinitions"}
	if many {
		named = append(named, "stream/raw", "delivery/pins/aggregates", "delivery/raw/archive", "sink/cloud", "Tcursors", "Tmeta", "Sretained", "Sstate/pins")
	}
	for _, name := range named {
		add("every copy of "+strings.ReplaceAll(name, "/", "-"), func(b []byte) []byte {
			for at := 0; ; {
				i := bytes.Index(b[at:], []byte(name))
				if i < 0 {
					return b
				}
				at += i + len(name)
				b[at+3] ^= 0x10
			}
		})
		add("the name "+strings.ReplaceAll(name, "/", "-"), func(b []byte) []byte {
			if i := bytes.LastIndex(b, []byte(name)); i >= 0 {
				b[i+len(name)-1] ^= 1
			}
			return b
		})
	}
	add("zeroed", func(b []byte) []byte { clear(b); return b })
	add("empty", func(b []byte) []byte { return nil })
	add("one byte", func(b []byte) []byte { return b[:1] })
	add("text", func([]byte) []byte { return []byte(strings.Repeat("not a database\n", 5000)) })
	return append(out, damage{"a directory", func(path string) error {
		if err := os.Remove(path); err != nil {
			return err
		}
		return os.MkdirAll(filepath.Join(path, "lost+found"), 0o700)
	}, everything})
}

// finding is what became of one damage.
type finding struct {
	acked, lost, doubled int64
	missing              int64 // and said
	again                int64 // rows that came twice, as was said
	salvaged             bool
}

// restart damages a copy of what was left behind, and starts the gateway on it.
func (o *backlog) restart(t *testing.T, c damage) (f finding) {
	t.Helper()
	cloud := harness.NewServer(t)
	e := harness.New(t, strings.Replace(o.config, "{{cloud}}", cloud.URL, 1))
	for name, text := range o.files {
		if err := os.WriteFile(filepath.Join(e.Dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.apply(filepath.Join(e.Dir, "edged.db")); err != nil {
		t.Fatal(err)
	}
	e.Start()
	// It goes on; and since rows are delivered in the order of the log, everything before has been delivered when this is.
	w, _ := rawmqtt.Login(t, fmt.Sprintf("127.0.0.1:%d", e.Broker), rawmqtt.Connect{ID: "sensor"})
	w.Publish(rawmqtt.Publish{Topic: "site/9/gpio/9", Payload: `{"value":1}`, QoS: 1, ID: 1})
	w.Acks(0x40, 1)
	last := func(rows []map[string]any) bool {
		return len(rows) > 0 && rows[len(rows)-1]["topic"] == "site/9/gpio/9"
	}
	harness.Until(t, 20*time.Second, "a message after the start arrives", func() bool { return last(cloud.Rows()) && last(e.Rows("raw.ndjson")) })
	s := e.AtRest(20 * time.Second)
	f = o.compare(t, c, cloud.Rows(), e.Rows("raw.ndjson"), &s)
	for _, name := range []string{"panic:", "goroutine "} {
		if strings.Contains(e.Log(), name) {
			t.Errorf("the log has %q", name)
		}
	}
	if err := e.Stop(); err != nil {
		t.Errorf("stopped with %v", err)
	}
	return f
}

func (o *backlog) compare(t *testing.T, c damage, cloud, raw []map[string]any, s *daemon.Status) (f finding) {
	t.Helper()
	f.acked, f.salvaged = int64(o.n), len(s.Store.Notes) > 0 && s.Store.Notes[0].File != ""
	there, inFile := count(cloud), count(raw)
	said := len(s.Store.Notes) > 0 || s.Store.Unreadable != ""
	excused := false // a cursor was lost, or is an older one: what it passed comes again
	for _, n := range s.Store.Notes {
		excused = excused || n.NoCursors || n.Older || len(n.OldCursors)+len(n.LostCursors) > 0
	}
	for _, b := range o.blocks {
		readable := !c.touched(b.from, b.to)
		for i := b.first; i <= b.last; i++ {
			switch {
			case inFile[i] == 0:
				f.lost++
				t.Errorf("message %d had been written to the file, and is gone from there", i)
			case there[i] > 0:
			case readable, !said:
				f.lost++
			default:
				f.missing++
			}
			again := int64(max(0, there[i]-1) + max(0, inFile[i]-1))
			if excused {
				f.again += again
			} else {
				f.doubled += again
			}
		}
	}
	if f.lost > 0 || f.doubled > 0 {
		t.Logf("%s: %d lost, %d doubled; problems: %q", c.name, f.lost, f.doubled, s.Problems)
	}
	if said && len(s.Problems) == 0 {
		t.Error("something is wrong with the store, and no sentence says so")
	}
	return f
}

// count counts rows by the number of their message.
func count(rows []map[string]any) map[int]int {
	out := map[int]int{}
	for _, r := range rows {
		text := fmt.Sprint(r["payload"])
		if i := strings.IndexByte(text, '<'); i >= 0 {
			var id int
			fmt.Sscanf(text[i:], "<%d>", &id)
			out[id]++
		}
	}
	return out
}

// tally adds up what the cases have found.
type tally struct {
	mu       sync.Mutex
	sum      finding
	cases    int
	salvaged int
}

func (s *tally) add(f finding) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cases++
	s.sum.acked, s.sum.lost, s.sum.doubled = s.sum.acked+f.acked, s.sum.lost+f.lost, s.sum.doubled+f.doubled
	s.sum.missing, s.sum.again = s.sum.missing+f.missing, s.sum.again+f.again
	if f.salvaged {
		s.salvaged++
	}
}

func (s *tally) verdict(fault string) verdict.Verdict {
	return verdict.Verdict{Fault: fault, Acked: s.sum.acked, Lost: s.sum.lost, Doubled: s.sum.doubled,
		Expected: fmt.Sprintf("%d times salvaged; %d messages in damaged bytes, each time said; %d rows again for lost cursors, as said", s.salvaged, s.sum.missing, s.sum.again)}
}
