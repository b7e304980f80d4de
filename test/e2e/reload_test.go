package e2e

import (
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"edged/internal/daemon"
	"edged/test/harness"
	"edged/test/load"
	"edged/test/rawmqtt"
)

// reload runs edged reload, and returns what it says.
func reload(t *testing.T, e *harness.Edged) (said string, err error) {
	t.Helper()
	out, err := exec.Command(harness.Binary(t, "edged/cmd/edged"), "reload", "--addr", fmt.Sprintf("127.0.0.1:%d", e.HTTP)).CombinedOutput()
	return string(out), err
}

// becomes has a running gateway take a configuration over.
func becomes(t *testing.T, e *harness.Edged, config string) (said string) {
	t.Helper()
	e.Configure(config)
	said, err := reload(t, e)
	if err != nil {
		t.Fatalf("edged reload: %v: %s", err, said)
	}
	return said
}

// running waits until every part runs, and returns since when.
func running(t *testing.T, e *harness.Edged) (out map[string]time.Time) {
	t.Helper()
	harness.Until(t, 10*time.Second, "every part runs", func() bool {
		out = since(e.Status())
		for _, at := range out {
			if at.IsZero() {
				return false
			}
		}
		return true
	})
	return out
}

// since is when each part began to run.
func since(s daemon.Status) map[string]time.Time {
	out := map[string]time.Time{}
	for _, r := range s.Receivers {
		out["receiver "+r.Name] = r.Part.Since
	}
	for _, st := range s.Streams {
		out["stream "+st.Stream] = st.Part.Since
	}
	for _, k := range s.Sinks {
		out["sink "+k.Name] = k.Part.Since
	}
	return out
}

func noPartial(t *testing.T, rows []map[string]any) {
	t.Helper()
	for _, r := range rows {
		if r["partial"] != nil {
			t.Errorf("a partial window: %v", r)
		}
	}
}

// A sink that comes to one stream leaves everything else as it is: parts run on, windows stay open, connections stay.
func TestAReloadLeavesTheRestAlone(t *testing.T) {
	t.Parallel()
	config := fmt.Sprintf(base, "")
	e := harness.New(t, config)
	e.Start()
	sub, _ := rawmqtt.Login(t, fmt.Sprintf("127.0.0.1:%d", e.Broker), rawmqtt.Connect{ID: "sub", Keep: true})
	sub.Subscribe(1, "site/#", 1)
	sent := 0
	some := func() {
		for range 5 {
			publish(t, e.Broker, "-q", "1", "-t", "site/7/gpio/3", "-m", fmt.Sprintf(`{"value":%d}`, sent))
			sent++
			sub.Message()
		}
	}
	some()
	before := running(t, e)
	e.Configure(strings.Replace(config, `sinks = ["archive"]`, `sinks = ["archive", "copy"]`, 1) + "[sink.copy]\ntype = \"file\"\npath = \"copy.ndjson\"\n")
	if s := e.Status(); len(s.Problems) != 1 || !strings.Contains(s.Problems[0], "was changed") {
		t.Errorf("the file is newer than what runs: %q", s.Problems)
	}
	syscall.Kill(e.PID(), syscall.SIGHUP)
	harness.Until(t, 10*time.Second, "the new sink runs", func() bool { return strings.Contains(e.Log(), "sink copy: new") })
	some()
	s := e.AtRest(10 * time.Second)
	after := since(s)
	for part, at := range before {
		if !after[part].Equal(at) {
			t.Errorf("%s was exchanged: %v, %v", part, at, after[part])
		}
	}
	if len(after) != len(before)+1 || len(s.Problems) > 0 || !s.Loaded.After(s.Started) {
		t.Errorf("%v %q %v", after, s.Problems, s.Loaded)
	}
	harness.Until(t, 10*time.Second, "all windows have closed", func() bool { return sum(e.Rows("aggregates.ndjson"), "7", "3", "n") == float64(sent) })
	noPartial(t, e.Rows("aggregates.ndjson"))
	if a, b := len(e.Rows("raw.ndjson")), len(e.Rows("copy.ndjson")); a != sent || b != sent { // start = "oldest"
		t.Errorf("of %d messages: %d and %d", sent, a, b)
	}
	if said := becomes(t, e, config); !strings.HasPrefix(said, "stream raw: changed (its sinks)\nsink copy: removed; where it was is kept") || !strings.HasSuffix(said, "\nunchanged: 4\n") {
		t.Errorf("edged reload says %q", said)
	}
	some()
}

// A changed where holds from one position of the log on: before it all rows are of the old one, behind it all of the new one.
func TestAChangedWhereHasOnePosition(t *testing.T) {
	t.Parallel()
	with := func(i int) string {
		return strings.Replace(fmt.Sprintf(base, ""), "[stream.raw]", fmt.Sprintf("[stream.raw]\nwhere = 'topic[1] == \"%d\"'", i%2), 1)
	}
	e := harness.New(t, with(0))
	e.Start()
	w, _ := rawmqtt.Login(t, fmt.Sprintf("127.0.0.1:%d", e.Broker), rawmqtt.Connect{ID: "pub"})
	const reloads = 6
	n, done := 0, make(chan struct{})
	var published atomic.Int64
	go func() {
		defer close(done)
		for i := 1; i <= reloads; i++ {
			before := published.Load()
			for published.Load() < before+20 { // some of each kind between two changes
				time.Sleep(300 * time.Millisecond)
			}
			becomes(t, e, with(i))
		}
	}()
	last := 0
	for publishing := true; publishing && n < 1_000_000; last++ {
		select {
		case <-done:
			publishing = last < 20 // behind the last change, too
		default:
			last = 0
		}
		for range 10 {
			w.Publish(rawmqtt.Publish{Topic: fmt.Sprintf("site/%d", n%2), Payload: fmt.Sprint(n), QoS: 1, ID: uint16(n%1000 + 1)})
			w.Acks(0x40, uint16(n%1000+1))
			n++
			published.Add(1)
		}
	}
	e.AtRest(20 * time.Second)
	rows := e.Rows("raw.ndjson")
	flips, at := 0, -2.0
	for _, r := range rows {
		v, _ := r["payload"].(float64)
		switch v - at {
		case 2:
		case 1, 3:
			flips++
		default:
			t.Fatalf("%v comes behind %v", v, at)
		}
		at = v
	}
	if flips != reloads || len(rows) < 2*reloads || at < float64(n-2) {
		t.Errorf("%d changes in %d rows, of %d messages; the last is %v", flips, len(rows), n, at)
	}
}

// variants are configurations that take in and deliver the same, and differ in every kind of part.
func variants() []string {
	a := load.Config
	b := load.With(load.With(a, "stream.raw", `where = "value > -1e9 || true"`), "stream.pins", `where = "true"`)
	c := load.With(a, "receiver.field", `max_rate = "1000000/s"`)
	d := load.With(load.With(c, "sink.archive", `max_pending = "100MiB"`), "batch", `interval = "300ms"`)
	f := a + "[receiver.more]\ntype = \"mqtt\"\ntopics = [\"site/+/gpio/#\"]\n[stream.more]\nfrom = [\"more\"]\ntopics = [\"#\"]\nsinks = [\"more\"]\n[sink.more]\ntype = \"file\"\npath = \"more.ndjson\"\n"
	return []string{b, f, c, a, d, f, b, d, a, f} // the last has the ledger of what came again
}

// Ten reloads under load, of every kind of part: no connection ends, nothing is lost, nothing is there twice, and the ledger balances.
func TestReloadsUnderLoad(t *testing.T) {
	t.Parallel()
	e := harness.New(t, load.Config)
	e.Start()
	run := load.Under(t, e, load.Plan{Rate: 2000}, func() {
		harness.Until(t, 20*time.Second, "there are rows", func() bool { return len(e.Rows("raw.ndjson")) > 0 })
		for _, config := range variants() {
			time.Sleep(200 * time.Millisecond)
			becomes(t, e, config)
		}
		harness.Until(t, 20*time.Second, "there are rows of the receiver that came", func() bool { return len(e.Rows("more.ndjson")) > 0 })
	})
	e.AtRest(30 * time.Second)
	load.Judge(t, e, run, "ten reloads under load", "raw.ndjson").Holds(t)
	if run.Resent != 0 {
		t.Errorf("%d messages were sent again: a connection has ended", run.Resent)
	}
	load.SameCounts(t, e, e.Rows("raw.ndjson"))
	if rows := e.Rows("more.ndjson"); len(rows) == 0 || len(rows) >= len(e.Rows("raw.ndjson")) {
		t.Errorf("%d rows of the receiver that came and went", len(rows))
	}
	if err := e.Stop(); err != nil {
		t.Error(err)
	}
}

// Kills while the configuration is being exchanged: the next start has the new one, nothing is lost, and none is in the file twice.
func TestKillsDuringReloads(t *testing.T) {
	t.Parallel()
	e := harness.New(t, load.Config)
	e.Start()
	configs := variants()
	run := load.Under(t, e, load.Plan{Rate: 2000}, func() {
		for i := range configs {
			time.Sleep(300 * time.Millisecond)
			e.Configure(configs[i])
			syscall.Kill(e.PID(), syscall.SIGHUP)
			time.Sleep(time.Duration(i*i*7) * time.Millisecond) // from at once to 567 ms later
			e.Kill()
			e.Start()
		}
	})
	e.AtRest(30 * time.Second)
	load.Judge(t, e, run, "SIGKILL in the middle of reloads, 10 times", "raw.ndjson").Holds(t)
	load.SameCounts(t, e, e.Rows("raw.ndjson"))
}

// What is wrong changes nothing and is said with its place, all of it, in the answer and in the log; so is what needs a restart.
func TestARefusedReloadChangesNothing(t *testing.T) {
	t.Parallel()
	config := fmt.Sprintf(base, "")
	e := harness.New(t, config)
	e.Start()
	before := running(t, e)
	for _, c := range []struct {
		config string
		want   []string
	}{
		{strings.NewReplacer(`where = "value > -40"`, `where = "value >"`, `path = "raw.ndjson"`, `pathh = "raw.ndjson"`, `from = ["field"]`, `from = ["feld"]`).Replace(config),
			[]string{`edged.toml:12: from: there is no [receiver.feld]`, `edged.toml:18: stream pins, where: `, `edged.toml:25: unknown key "pathh"`}},
		{strings.Replace(config, "[broker]", "[store]\nmax_bytes = \"100MiB\"\n[broker]\nmax_connections = 7", 1) + "[sink.new]\ntype = \"console\"\n",
			[]string{"broker.max_connections, store.max_bytes can change only with a restart (systemctl restart edged)"}},
		{"nonsense", []string{"edged.toml:1: not TOML"}},
	} {
		e.Configure(c.config)
		said, err := reload(t, e)
		if exit, ok := err.(*exec.ExitError); !ok || exit.ExitCode() != 1 {
			t.Errorf("edged reload ends with %v", err)
		}
		problems := e.Status().Problems
		if len(problems) != 1 || !strings.Contains(problems[0], "was refused") {
			t.Errorf("status says %q", problems)
		}
		for _, want := range c.want {
			if !strings.Contains(said, want) || !strings.Contains(strings.ReplaceAll(e.Log(), `\"`, `"`), want) {
				t.Errorf("it says %q, and not %q, or the log does not", said, want)
			}
		}
	}
	if after := running(t, e); !mapsEqual(after, before) {
		t.Errorf("%v, before %v", after, before)
	}
	e.Configure(config)
	if s := e.Status(); len(s.Problems) != 0 {
		t.Errorf("the file is as before: %q", s.Problems)
	}
	if said, err := reload(t, e); err != nil || said != "nothing has changed\nunchanged: 5\n" {
		t.Errorf("%q %v", said, err)
	}
}

func mapsEqual(a, b map[string]time.Time) bool {
	for k, v := range a {
		if !b[k].Equal(v) {
			return false
		}
	}
	return len(a) == len(b)
}

// A sink that was removed and comes again goes on where it was; a stream, too, and its ledger balances.
func TestWhatComesAgainGoesOn(t *testing.T) {
	t.Parallel()
	copied := "[stream.second]\nfrom = [\"field\"]\ntopics = [\"site/#\"]\nsinks = [\"copy\"]\n[sink.copy]\ntype = \"file\"\npath = \"copy.ndjson\"\n"
	both := fmt.Sprintf(base, "") + copied
	sinkGone := strings.NewReplacer(`sinks = ["copy"]`, `sinks = ["archive"]`, "[sink.copy]\ntype = \"file\"\npath = \"copy.ndjson\"\n", "").Replace(both)
	e := harness.New(t, both)
	e.Start()
	sent := 0
	some := func() {
		for range 7 {
			publish(t, e.Broker, "-q", "1", "-t", "site/7/gpio/3", "-m", fmt.Sprint(sent))
			sent++
		}
	}
	for _, without := range []string{sinkGone, fmt.Sprintf(base, ""), sinkGone} {
		some()
		becomes(t, e, without)
		some()
		e.AtRest(10 * time.Second)
		if k := e.Status().Kept; !slices.ContainsFunc(k, func(k daemon.Kept) bool { return k.Cursor == "delivery/second/copy" }) {
			t.Errorf("its cursor is not kept: %v", k)
		}
		becomes(t, e, both)
		some()
		e.AtRest(10 * time.Second)
		rows := e.Rows("copy.ndjson")
		if len(rows) != sent {
			t.Fatalf("%d rows of %d messages", len(rows), sent)
		}
		for i, r := range rows {
			if r["payload"] != float64(i) {
				t.Fatalf("row %d is %v", i, r)
			}
		}
	}
}

// Pins are begun anew with another configuration, also when they come and go.
func TestPinsAreReloaded(t *testing.T) {
	t.Parallel()
	config := fmt.Sprintf(base, "")
	pins := config + "[gpio]\ndriver = \"sim\"\n[gpio.pin.%s]\ninterval = \"50ms\"\nwave = { kind = \"counter\", period = \"1s\" }\n"
	e := harness.New(t, config)
	e.Start()
	rows := func(pin string) (n int) {
		for _, r := range e.Rows("raw.ndjson") {
			if r["topic"] == "site/local/gpio/"+pin {
				n++
			}
		}
		return n
	}
	for _, pin := range []string{"door", "lamp"} {
		becomes(t, e, fmt.Sprintf(pins, pin))
		harness.Until(t, 10*time.Second, "readings of "+pin, func() bool { return rows(pin) > 3 })
	}
	becomes(t, e, config)
	if s := e.AtRest(10 * time.Second); len(s.Pins) != 0 {
		t.Errorf("%v", s.Pins)
	}
}
