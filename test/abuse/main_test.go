package abuse

import (
	"fmt"
	"math/rand/v2"
	"os"
	"syscall"
	"testing"
	"time"

	"edged/test/harness"
)

// TestMain raises the limit of open files as far as it may: each connection is one of ours, and one of the process that is
// tested, which inherits the limit.
func TestMain(m *testing.M) {
	var r syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &r); err == nil {
		r.Cur = r.Max
		_ = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &r)
	}
	harness.Main(m)
}

// config is a gateway that stores what is published below site/. A small computer's memory_limit makes it give memory back
// in time to see whether something is left; a sink that is slower than a flood drops, so that the store never holds it up.
const config = `
data_dir = "{{dir}}"
memory_limit = "48MiB"
[http]
listen = "127.0.0.1:{{http}}"
[broker]
listen = ["tcp://127.0.0.1:{{broker}}"]
connect_timeout = "3s"
[receiver.field]
type = "mqtt"
topics = ["site/#"]
[store]
memory_cache = "4MiB"
keep = "1s"
[stream.raw]
from = ["field"]
topics = ["site/#"]
decode = "raw"
sinks = ["archive"]
[sink.archive]
type = "file"
path = "raw.ndjson"
rotate_size = "16MiB"
keep_files = 2
when_full = "drop_oldest"
`

// maxPacket is the default of max_packet_size.
const maxPacket = 256 << 10

// long tells the long form from the quick one.
func long() bool { return os.Getenv("EDGED_TEST") == "all" }

// some is a number for the quick form and one for the long form.
func some[N int | time.Duration](quick, all N) N {
	if long() {
		return all
	}
	return quick
}

// TestAbuse runs every case against one process.
func TestAbuse(t *testing.T) {
	tg := aim(t)
	t.Run("malformed", func(t *testing.T) { malformed(t, tg) })
	t.Run("behaviour", func(t *testing.T) { behaviours(t, tg) })
	t.Logf("the slowest round trip after a case was %v, after %s; during one %v, during %s; most memory at rest %d MiB, after %s",
		tg.after.worst, tg.after.where, tg.during.worst, tg.during.where, tg.rest.kib>>10, tg.rest.where)
}

func malformed(t *testing.T, tg *target) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	var cases []bad
	for _, list := range [][]bad{frameCases(), firstCases(), connectCases(), willCases(), publishCases(), subscribeCases(), ackCases(), sessionCases(),
		stringCases(), propertyCases(), truncated(), mutated(rand.New(rand.NewPCG(seed, 0)))} {
		cases = append(cases, list...)
	}
	names, tries := map[string]bool{}, 0
	for _, c := range cases {
		if names[c.name] {
			t.Errorf("two cases are called %q", c.name)
		}
		names[c.name], tries = true, tries+len(c.tries)
	}
	if len(cases) < 200 {
		t.Errorf("%d cases: 200 are promised", len(cases))
	}
	t.Logf("%d cases, %d connections", len(cases), tries)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			wrong := 0
			for i, b := range c.tries {
				if err := c.try(tg.addr, b); err != nil {
					t.Errorf("%s: %v", c.show(i), err)
					if wrong++; wrong == 3 {
						t.Errorf("the %d further tries were left out", len(c.tries)-i-1)
						break
					}
				}
			}
			tg.check(t)
		})
	}
}

func (b bad) show(i int) string {
	if i < len(b.hint) {
		return b.hint[i]
	}
	if bytes := b.tries[i]; len(bytes) > 64 {
		return fmt.Sprintf("%X… (%d bytes)", bytes[:64], len(bytes))
	}
	return fmt.Sprintf("%X", b.tries[i])
}
