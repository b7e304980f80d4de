package e2e

import (
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"edged/test/await"
	"edged/test/harness"
	"edged/test/port"
)

// stopWithin is how long a stop may take: 5 s for what was taken, and what a slow machine takes besides.
const stopWithin = 20 * time.Second

// After a stop nothing is lost, nothing is doubled, and windows go on where they were.
func TestAStopLosesNothing(t *testing.T) {
	t.Parallel()
	e := harness.New(t, fmt.Sprintf(base, ""))
	sent := 0
	for range 3 {
		e.Start()
		for range 10 {
			publish(t, e.Broker, "-q", "1", "-t", "site/7/gpio/3", "-m", fmt.Sprintf(`{"value":%d}`, sent))
			sent++
		}
		began := time.Now()
		if err := e.Stop(); err != nil {
			t.Fatalf("stopped with %v", err)
		}
		if d := time.Since(began); d > stopWithin {
			t.Errorf("the stop took %v", d)
		}
	}
	e.Start()
	harness.Until(t, 10*time.Second, "all windows have closed", func() bool { return sum(e.Rows("aggregates.ndjson"), "7", "3", "n") == float64(sent) })
	e.AtRest(5 * time.Second)
	if n := len(e.Rows("raw.ndjson")); n != sent {
		t.Errorf("the raw file holds %d of %d", n, sent)
	}
}

// An endpoint that never answers does not hold the stop up for longer than its time; a second SIGTERM does not even wait for
// that. Nothing is lost either way.
func TestAStopEndsInTimeAndASecondSignalAtOnce(t *testing.T) {
	t.Parallel()
	cloud := harness.NewServer(t)
	asked, release := make(chan struct{}, 8), make(chan struct{})
	var once sync.Once
	open := func() { once.Do(func() { close(release) }) }
	t.Cleanup(open) // before the server is closed
	cloud.Hold(func() { asked <- struct{}{}; <-release })
	e := harness.New(t, withCloud(base, cloud.URL))
	for i, second := range []bool{false, true} {
		e.Start()
		publish(t, e.Broker, "-q", "1", "-t", "site/7/gpio/3", "-m", `{"value":1}`)
		select {
		case <-asked:
		case <-time.After(await.Patience):
			t.Fatal("nothing is posted")
		}
		began := time.Now()
		if second {
			syscall.Kill(e.PID(), syscall.SIGTERM)
			harness.Until(t, 5*time.Second, "the stop has begun", func() bool { return strings.Count(e.Log(), "stopping:") == i+1 })
		}
		err := e.Stop()
		if took := time.Since(began); took > stopWithin || second && err == nil {
			t.Errorf("second signal %v: ended with %v after %v", second, err, took)
		}
	}
	open()
	cloud.Hold(nil)
	e.Start()
	harness.Until(t, 15*time.Second, "both readings arrive", func() bool { return sum(cloud.Rows(), "7", "3", "n") == 2 })
	e.AtRest(5 * time.Second)
}

// Mistakes of the place stop the start with one clear line.
func TestWhatStopsTheStart(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	taken := l.Addr().(*net.TCPAddr).Port
	for name, c := range map[string]struct{ config, want string }{
		"broker port": {strings.Replace(fmt.Sprintf(base, ""), "{{broker}}", fmt.Sprint(taken), 1), fmt.Sprintf("127.0.0.1:%d", taken)},
		"http port":   {strings.Replace(fmt.Sprintf(base, ""), "{{http}}", fmt.Sprint(taken), 1), "http.listen"},
		"data_dir":    {strings.Replace(fmt.Sprintf(base, ""), "{{dir}}", "/proc/nowhere", 1), "data_dir"},
	} {
		e := harness.New(t, c.config)
		e.Launch()
		if err := e.Wait(10 * time.Second); err == nil || err.Error() != "exit status 1" {
			t.Errorf("%s: ended with %v", name, err)
		}
		lines := strings.Split(strings.TrimSpace(e.Log()), "\n")
		if len(lines) != 1 || !strings.Contains(lines[0], c.want) {
			t.Errorf("%s: the log is\n%s", name, e.Log())
		}
	}
}

// A missing chip and an unreachable broker are said, and retried while the rest works.
func TestWhatIsRetriedWhileTheRestWorks(t *testing.T) {
	t.Parallel()
	config := fmt.Sprintf(base, "") + fmt.Sprintf(`
[receiver.far]
type = "mqtt"
broker = "tcp://127.0.0.1:%d"
topics = ["far/#"]
[gpio]
driver = "periph"
[gpio.pin.door]
line = "GPIO17"
edge = "both"
`, port.Free(t))
	e := harness.New(t, config)
	e.Start()
	publish(t, e.Broker, "-q", "1", "-t", "site/7/gpio/3", "-m", `{"value":1}`)
	harness.Until(t, 10*time.Second, "a reading arrives all the same", func() bool { return len(e.Rows("raw.ndjson")) == 1 })
	harness.Until(t, 10*time.Second, "both are said", func() bool {
		return strings.Contains(e.Log(), "no GPIO chip") && strings.Contains(e.Log(), "receiver far")
	})
	if err := e.Stop(); err != nil {
		t.Errorf("stopped with %v", err)
	}
}

// The pins of the simulator arrive like any reading.
func TestSimulatedPins(t *testing.T) {
	t.Parallel()
	e := harness.New(t, fmt.Sprintf(base, "")+`
[gpio]
driver = "sim"
topic = "site/here/gpio/{name}"
[gpio.pin.door]
line = "GPIO17"
edge = "both"
wave = { kind = "square", period = "200ms" }
`)
	e.Start()
	harness.Until(t, 15*time.Second, "a window of the door's", func() bool { return sum(e.Rows("aggregates.ndjson"), "here", "door", "n") > 5 })
	var last float64
	for _, r := range e.Rows("raw.ndjson") {
		p, _ := r["payload"].(map[string]any)
		seq, _ := p["seq"].(float64)
		if p["name"] != "door" || p["line"] != "GPIO17" || p["ts"] == nil || last > 0 && seq != last+1 {
			t.Fatalf("a reading is %v after seq %v", r, last)
		}
		last = seq
	}
}

// Drain without taking in: what is stored is delivered, nothing is listened for.
func TestRunWithoutReceivers(t *testing.T) {
	t.Parallel()
	cloud := harness.NewServer(t)
	cloud.Close()
	e := harness.New(t, withCloud(base, cloud.URL))
	e.Start()
	publish(t, e.Broker, "-q", "1", "-t", "site/7/gpio/3", "-m", `{"value":1}`)
	harness.Until(t, 10*time.Second, "the window is in the file", func() bool { return sum(e.Rows("aggregates.ndjson"), "7", "3", "n") == 1 })
	if err := e.Stop(); err != nil {
		t.Fatal(err)
	}
	up := harness.NewServer(t)
	e.Configure(withCloud(base, up.URL))
	e.Args = []string{"--no-receivers"}
	e.Start()
	harness.Until(t, 10*time.Second, "the backlog is delivered", func() bool { return sum(up.Rows(), "7", "3", "n") == 1 })
	if c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", e.Broker)); err == nil {
		c.Close()
		t.Error("the broker listens")
	}
}

// A changed aggregate with open windows: what was open leaves as partial, the new definition starts, nothing is lost.
func TestAChangedAggregateWithOpenWindows(t *testing.T) {
	t.Parallel()
	config := strings.Replace(fmt.Sprintf(base, ""), "tumbling 2s", "tumbling 5s", 1)
	e := harness.New(t, config)
	e.Start()
	for range 7 {
		publish(t, e.Broker, "-q", "1", "-t", "site/7/gpio/3", "-m", `{"value":4}`)
	}
	harness.Until(t, 5*time.Second, "the readings are in the window", func() bool { return e.Status().Streams[1].Applied == 7 })
	if err := e.Stop(); err != nil {
		t.Fatal(err)
	}
	e.Configure(strings.Replace(config, `max = "max(value)"`, `total = "sum(value)"`, 1))
	e.Start()
	for range 3 {
		publish(t, e.Broker, "-q", "1", "-t", "site/7/gpio/3", "-m", `{"value":4}`)
	}
	harness.Until(t, 15*time.Second, "both definitions' rows are there", func() bool { return sum(e.Rows("aggregates.ndjson"), "7", "3", "n") == 10 })
	e.AtRest(5 * time.Second)
	old, fresh := 0.0, 0.0
	for _, r := range e.Rows("aggregates.ndjson") {
		n, _ := r["n"].(float64)
		if r["max"] != nil {
			old += n
		}
		if r["total"] != nil {
			fresh += n
			if r["partial"] != nil {
				t.Errorf("a row of the new definition is partial: %v", r)
			}
		}
	}
	if old != 7 || fresh != 3 {
		t.Errorf("old definition %v, new %v: %v", old, fresh, e.Rows("aggregates.ndjson"))
	}
	if _, err := os.Stat(e.Dir + "/edged.db"); err != nil {
		t.Error(err)
	}
}

// Several times max_bytes goes through a small store, with a raw and a windowed stream: what was delivered makes room.
func TestASmallStoreIsPassedThrough(t *testing.T) {
	t.Parallel()
	config := fmt.Sprintf(base, "") + `
[store]
max_bytes = "24MiB"
keep = "0s"
checkpoint_interval = "1s"
`
	e := harness.New(t, config)
	e.Start()
	load := harness.Binary(t, "edged/test/mqttload")
	for range 2 { // twice 20 MB of payloads through 16 MiB of room
		harness.Run(t, load, "pub", "-addr", fmt.Sprintf("127.0.0.1:%d", e.Broker), "-n", "4", "-qos", "1", "-m", "20000", "-pad", "1000", "-reconnect", "20s", "-clean=false")
	}
	harness.Until(t, 30*time.Second, "every message is delivered", func() bool { return e.Status().Streams[0].Applied >= 40000 })
	e.AtRest(20 * time.Second)
	if n := len(e.Rows("raw.ndjson")); n < 40000 {
		t.Errorf("%d of 40000 in the raw file", n)
	}
}
