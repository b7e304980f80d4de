package fault

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"edged/test/fault/netns"
	"edged/test/harness"
	"edged/test/load"
	"edged/test/need"
	"edged/test/port"
)

// external is a real Mosquitto. Its sessions are on disk, written once a second.
type external struct {
	t    testing.TB
	dir  string
	port int
	cmd  *exec.Cmd
}

func newExternal(t testing.TB, lines ...string) *external {
	t.Helper()
	x := &external{t: t, dir: t.TempDir(), port: port.Free(t)}
	text := append([]string{fmt.Sprintf("listener %d 127.0.0.1", x.port), "allow_anonymous true", "user root", "persistence true", "persistence_location " + x.dir + "/",
		"autosave_interval 1", "max_inflight_messages 0", "max_queued_messages 0", "sys_interval 1"}, lines...)
	if err := os.WriteFile(filepath.Join(x.dir, "conf"), []byte(strings.Join(text, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	x.start()
	t.Cleanup(x.kill)
	return x
}

func (x *external) addr() string { return fmt.Sprintf("127.0.0.1:%d", x.port) }

func (x *external) start() {
	x.t.Helper()
	x.cmd = exec.Command(need.Tool(x.t, "mosquitto"), "-c", filepath.Join(x.dir, "conf"))
	if err := x.cmd.Start(); err != nil {
		x.t.Fatal(err)
	}
	harness.Until(x.t, 10*time.Second, "Mosquitto listens", func() bool {
		c, err := net.Dial("tcp", x.addr())
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
}

func (x *external) kill() {
	_ = x.cmd.Process.Kill()
	_ = x.cmd.Wait()
}

// forget has a killed Mosquitto forget its sessions.
func (x *external) forget() {
	x.t.Helper()
	if err := os.Remove(filepath.Join(x.dir, "mosquitto.db")); err != nil && !os.IsNotExist(err) { // it may not have been written yet
		x.t.Fatal(err)
	}
}

// outside is a gateway whose receiver takes from a broker at addr. mqttload publishes to that broker at port.
func outside(t testing.TB, addr string, port int, more string) *harness.Edged {
	t.Helper()
	config := strings.Replace(load.Config, "[broker]\nlisten = [\"tcp://127.0.0.1:{{broker}}\"]\n", "", 1)
	e := harness.New(t, load.With(config, "receiver.field", fmt.Sprintf("broker = \"tcp://%s\"\nclient_id = \"edged-test\"", addr))+more)
	e.Broker = port
	return e
}

// back is how soon a connection must be there when it can be.
const back = 30 * time.Second

// Mosquitto is killed under load, and comes back with its sessions or without them: edged is back within 30 s, subscribes again, and what it has acknowledged
// is in the file.
func TestExternalBrokerKilled(t *testing.T) {
	t.Parallel()
	x := newExternal(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := newTap(t, l, x.addr())
	e := outside(t, p.addr, x.port, "")
	e.Start()
	plan := load.Plan{Rate: 400, For: 8 * time.Second}
	if all() {
		plan.For = 2 * time.Minute
	}
	var longest time.Duration
	kills := 0
	run := load.Under(t, e, plan, func() {
		harness.Until(t, back, "messages come", func() bool { return p.acknowledged() > 0 })
		for began := time.Now(); kills == 0 || p.more(1, plan.For-time.Since(began)); kills++ {
			i := kills
			time.Sleep(time.Duration(700+i*173%600) * time.Millisecond)
			x.kill()
			if i%2 == 1 {
				x.forget()
			}
			if i%4 == 1 {
				e.Kill()
				e.Start()
			}
			logins := p.loggedIn()
			p.restarted()
			x.start()
			began := time.Now()
			harness.Until(t, back, "edged is connected again", func() bool { return p.loggedIn() > logins })
			longest = max(longest, time.Since(began))
		}
	})
	if longest > back {
		t.Errorf("it took %v until edged was connected again", longest)
	}
	e.AtRest(30 * time.Second)
	v := p.judge(t, e, fmt.Sprintf("external Mosquitto killed %d times, every other time without its sessions", kills))
	theirs := load.Judge(t, e, run, "", "raw.ndjson")
	v.Expected += fmt.Sprintf("; back within %v; Mosquitto had acknowledged %d and lost %d", longest.Round(100*time.Millisecond), theirs.Acked, theirs.Lost)
	v.Holds(t)
	load.SameCounts(t, e, e.Rows("raw.ndjson"))
}

// The cable to Mosquitto is pulled, and edged is killed meanwhile. Mosquitto keeps the session: everything that it has acknowledged to publishers arrives.
func TestExternalBrokerBehindACutLink(t *testing.T) {
	t.Parallel()
	link := netns.New(t)
	x := newExternal(t)
	p := newTap(t, link.Listen(), x.addr())
	e := outside(t, p.addr, x.port, "")
	e.Start()
	harness.Until(t, back, "edged is connected", func() bool { return p.loggedIn() > 0 && e.Status().Receivers[0].Link.Connected })
	outages := []time.Duration{2 * time.Second, 2 * time.Second}
	if all() {
		outages = append(outages, 10*time.Second, 45*time.Second, 45*time.Second) // the kernel knows after 30 s
	}
	var longest, total time.Duration
	for _, d := range outages {
		total += d + 3*time.Second
	}
	run := load.Under(t, e, load.Plan{Rate: 300, For: total}, func() {
		for i, d := range outages {
			p.more(100, back)
			link.Cut()
			if i%2 == 0 {
				time.Sleep(d / 2)
				e.Kill()
				p.restarted()
				e.Start()
				time.Sleep(d / 2)
			} else {
				time.Sleep(d)
			}
			if d > 40*time.Second {
				if l := e.Status().Receivers[0].Link; l.Connected {
					t.Errorf("after %v without a packet the link counts as connected", d)
				}
			}
			got := p.acknowledged()
			link.Mend()
			began := time.Now()
			harness.Until(t, back, "messages come again", func() bool { return p.acknowledged() > got })
			longest = max(longest, time.Since(began))
		}
	})
	if longest > back {
		t.Errorf("it took %v until messages came again", longest)
	}
	harness.Until(t, back, "everything has come", func() bool { return int64(p.acknowledged()) >= run.Acked })
	e.AtRest(30 * time.Second)
	v := load.Judge(t, e, run, fmt.Sprintf("external Mosquitto behind a cut cable, %d times", len(outages)), "raw.ndjson")
	ours := p.judge(t, e, "")
	v.Lost, v.Doubled, v.Expected = v.Lost+ours.Lost, ours.Doubled, fmt.Sprintf("%s; messages again within %v", ours.Expected, longest.Round(100*time.Millisecond))
	v.Holds(t)
	load.SameCounts(t, e, e.Rows("raw.ndjson"))
}

// The control: an edged that acknowledges before it commits, killed, owes what Mosquitto does not send again.
func TestControlExternalAcknowledgedTooEarly(t *testing.T) {
	t.Parallel()
	x := newExternal(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := newTap(t, l, x.addr())
	e := outside(t, p.addr, x.port, "")
	e.Tag = "edged_ackfirst"
	e.Wrap = []string{need.Tool(t, "strace"), "-f", "-qq", "-o", "/dev/null", "-e", "trace=pwrite64", "-e", "inject=pwrite64:delay_enter=100000"} // what is written a killed process leaves behind
	e.Start()
	load.Under(t, e, load.Plan{Rate: 1000, For: 4 * time.Second}, func() {
		for range 2 {
			got := p.acknowledged()
			harness.Until(t, back, "messages come", func() bool { return p.acknowledged() > got+500 })
			now := p.acknowledged()
			harness.Until(t, back, "messages are acknowledged, and their commit has begun", func() bool { return p.acknowledged() > now })
			// It stands still until the acknowledgements are read: a connection that ends with a reset takes them along.
			if err := syscall.Kill(-e.PID(), syscall.SIGSTOP); err != nil {
				t.Fatal(err)
			}
			time.Sleep(300 * time.Millisecond)
			e.Kill()
			p.restarted()
			e.Start()
		}
	})
	e.AtRest(30 * time.Second)
	p.judge(t, e, "external Mosquitto, acknowledged before the commit, edged killed twice").Breaks(t)
}
