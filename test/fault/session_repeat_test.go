package fault

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"edged/test/harness"
	"edged/test/verdict"
)

// Within one life of the gateway a repeat with QoS 1 whose acknowledgement cannot have left is known, and stored once: each sync takes so
// long here that the client has come back before the commit. An identifier that is used again is never taken for a repeat.
func TestSessionsRepeatsWithinOneLife(t *testing.T) {
	t.Parallel()
	e := harness.New(t, sessionConfig)
	sync := 200 * time.Millisecond
	slowDisk(t, e, sync)
	e.Start()
	var wanted []string
	for _, v5 := range quickOrFull([]bool{true}, []bool{false, true}) {
		for attempt := 0; ; attempt++ {
			p := newPublisher(e, v5, fmt.Sprintf("repeats%s%d", version(v5), attempt))
			if again := repeats(t, p); again < sync {
				wanted = append(wanted, p.payloads(1)...)
				break
			} else if attempt == 20 {
				t.Fatalf("the last repeat was sent after %v, and a sync takes %v", again, sync)
			} else if attempt%5 == 4 { // the machine is slow: so is the disk then
				sync *= 5
				e.Kill()
				slowDisk(t, e, sync)
				e.Start()
			}
		}
	}
	settled(t, e)
	var stored []string
	for _, p := range wanted {
		if p[:4] != "free" {
			stored = append(stored, p)
		}
	}
	took := map[string]bool{}
	for _, p := range wanted {
		took[p] = true
	}
	came := append(rowPayloads(e, "raw.ndjson", "site/life/"), rowPayloads(e, "raw.ndjson", "both/life/")...)
	came = slices.DeleteFunc(came, func(p string) bool { return !took[p] })
	lost, doubled := lostAndTwice(stored, came)
	if len(lost)+len(doubled) > 0 {
		t.Errorf("lost %s, doubled %s", some(lost), some(doubled))
	}
	verdict.Verdict{Fault: "sessions: connections lost before the commit, repeats with DUP, within one life", Acked: int64(len(wanted)), Lost: int64(len(lost)), Doubled: int64(len(doubled)),
		Expected: fmt.Sprintf("%d known repeats", e.Status().Broker.Duplicates)}.Holds(t)
}

// repeats publishes, loses the connection again and again, and uses each identifier again when its message is through. It returns how long the last
// repeat was sent after the first publish: as long as that is less than a sync, no acknowledgement can have left before.
func repeats(t *testing.T, p *publisher) (took time.Duration) {
	t.Helper()
	must(t, p.come())
	began := time.Now()
	for _, root := range []string{"site", "both", "free"} {
		for _, qos := range []byte{1, 2} {
			must(t, p.send(messages(fmt.Sprintf("%s/life/%s/%d", root, p.login.ID, qos), qos, 10)...))
		}
	}
	for range 3 {
		p.leave()
		must(t, p.come())
	}
	took = time.Since(began)
	must(t, p.settle())
	for _, m := range p.acked {
		m.Payload += " again"
		p.lastID = m.ID - 1
		must(t, p.send(m))
	}
	must(t, p.settle())
	p.leave()
	return took
}
