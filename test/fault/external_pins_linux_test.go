package fault

import (
	"encoding/json"
	"fmt"
	"net"
	"os/exec"
	"strings"
	"testing"
	"time"

	"edged/internal/daemon"
	"edged/test/await"
	"edged/test/harness"
	"edged/test/need"
	"edged/test/verdict"
)

// Pins publish to an external broker, which goes away for longer than the buffer lasts: what waits stays bounded, the oldest are dropped, and none is missing
// afterwards, as a gap in seq, that is not counted. Up to 20 more may be counted: they were on their way, and nobody knows whether they arrived.
func TestPinsWhileTheExternalBrokerIsAway(t *testing.T) {
	t.Parallel()
	x := newExternal(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := newTap(t, l, x.addr())
	var got await.Log
	sub := exec.Command(need.Tool(t, "mosquitto_sub"), "-h", "127.0.0.1", "-p", fmt.Sprint(x.port), "-q", "1", "-t", "site/pins/#")
	sub.Stdout = &got
	if err := sub.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sub.Process.Kill(); _ = sub.Wait() })
	e := harness.New(t, fmt.Sprintf(`
data_dir = "{{dir}}"
[http]
listen = "127.0.0.1:{{http}}"
[gpio]
driver = "sim"
publish_to = "tcp://%s"
topic = "site/pins/{name}"
[gpio.pin.meter]
line = "GPIO4"
interval = "2ms"
wave = { kind = "noise" }
`, p.addr))
	e.Start()
	harness.Until(t, 10*time.Second, "readings arrive", func() bool { return got.Count("\n") > 100 })
	outages, most := 1, 0
	if all() {
		outages = 4
	}
	for range outages {
		before := e.Status().Publisher.Dropped
		p.down()
		harness.Until(t, 20*time.Second, "readings are dropped", func() bool {
			s := e.Status().Publisher
			most = max(most, s.Waiting)
			return s.Dropped > before+200
		})
		p.up()
		harness.Until(t, back, "the buffer drains", func() bool { return e.Status().Publisher.Waiting < 20 })
	}
	if most == 0 || most > 1000 {
		t.Errorf("%d readings waited at most; the buffer is for 1,000", most)
	}
	var s daemon.Status
	var seen map[int64]int
	counted := func() int64 { return int64(s.Publisher.Dropped + s.Pins[0].Dropped) }
	harness.Until(t, 10*time.Second, "those are missing that are counted", func() bool {
		s = e.Status()
		seen = seqs(got.String())
		return missing(seen) <= counted() && missing(seen) >= counted()-int64(unknown*outages)
	})
	if o := s.Publisher.Outbox; o.Taken != o.Published+o.Dropped+uint64(o.Waiting) {
		t.Errorf("the publisher's ledger does not balance: %+v", o)
	}
	twice := 0
	for _, n := range seen {
		twice += n - 1
	}
	v := verdict.Verdict{Fault: fmt.Sprintf("external broker of the pins away, %d times", outages), Acked: int64(s.Publisher.Published),
		Lost: max(0, missing(seen)-counted()), Doubled: int64(max(0, twice-unknown*outages)),
		Expected: fmt.Sprintf("%d dropped and counted, %d sent again, %d waited at most", s.Publisher.Dropped, twice, most)}
	v.Holds(t)
	for q, gone := int64(1), 0; gone < 2*unknown*outages; q++ { // the control: some of the first are thrown away by the test
		if seen[q] > 0 {
			delete(seen, q)
			gone++
		}
	}
	v.Lost, v.Fault = missing(seen)-counted(), "external broker of the pins away, readings thrown away by the test"
	v.Breaks(t)
}

// unknown is how many publishes are on their way, at most, when a connection ends.
const unknown = 20

// seqs counts the readings of mosquitto_sub's output by their number.
func seqs(out string) map[int64]int {
	seen := map[int64]int{}
	for _, line := range strings.Split(out, "\n") {
		var r struct{ Seq int64 }
		if json.Unmarshal([]byte(line), &r) == nil && r.Seq > 0 {
			seen[r.Seq]++
		}
	}
	return seen
}

// missing is the number of gaps below the highest number.
func missing(seen map[int64]int) int64 {
	highest := int64(0)
	for q := range seen {
		highest = max(highest, q)
	}
	return highest - int64(len(seen))
}
