package fault

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"edged/test/harness"
	"edged/test/need"
	"edged/test/rawmqtt"
)

// sessionConfig is a gateway for the tests of sessions: one receiver takes topics below site, two take those below both, and none
// those below free. Every row of the first is in raw.ndjson, every row of the second in copies.ndjson.
const sessionConfig = `
data_dir = "{{dir}}"
[http]
listen = "127.0.0.1:{{http}}"
[broker]
listen = ["tcp://127.0.0.1:{{broker}}"]
max_queued_messages = 100000
max_queued_bytes = "32MiB"
max_queued_total = "64MiB"
[store]
checkpoint_interval = "2s"
[receiver.field]
type = "mqtt"
topics = ["site/#", "both/#"]
[receiver.second]
type = "mqtt"
topics = ["both/#"]
[stream.raw]
from = ["field"]
topics = ["#"]
decode = "text"
sinks = ["archive"]
[stream.second]
from = ["second"]
topics = ["#"]
decode = "text"
sinks = ["copies"]
[sink.archive]
type = "file"
path = "raw.ndjson"
[sink.copies]
type = "file"
path = "copies.ndjson"
`

// sessionGateway starts one.
func sessionGateway(t *testing.T, config string) *harness.Edged {
	t.Helper()
	e := harness.New(t, config)
	e.Start()
	return e
}

// end is a way in which a life of the gateway ends.
type end struct {
	name string
	now  func(t testing.TB, e *harness.Edged)
}

var (
	byKill = end{"kill -9", func(_ testing.TB, e *harness.Edged) { e.Kill() }}
	byTerm = end{"SIGTERM", func(t testing.TB, e *harness.Edged) {
		t.Helper()
		if err := e.Stop(); err != nil {
			t.Errorf("the gateway ended with %v", err)
		}
	}}
)

// eachEnd runs a test once for each end, side by side.
func eachEnd(t *testing.T, f func(t *testing.T, end end)) {
	t.Parallel()
	for _, end := range []end{byKill, byTerm} {
		t.Run(strings.ReplaceAll(end.name, " ", ""), func(t *testing.T) { t.Parallel(); f(t, end) })
	}
}

// byKillAtLeast is eachEnd where there is time, and else the harder end alone.
func byKillAtLeast(t *testing.T, f func(t *testing.T, end end)) {
	if all() {
		eachEnd(t, f)
		return
	}
	t.Parallel()
	f(t, byKill)
}

// slowDisk makes each sync of the gateway's next lives take so long before it begins: the time between an acknowledgement that comes
// too early and the commit is then wide enough to be hit every time.
func slowDisk(t *testing.T, e *harness.Edged, by time.Duration) {
	t.Helper()
	e.Wrap = []string{need.Tool(t, "strace"), "-f", "-qq", "--seccomp-bpf", "-o", "/dev/null", "-e", "trace=fdatasync", "-e", fmt.Sprintf("inject=fdatasync:delay_enter=%d", by.Microseconds())}
}

// slowWrites makes each write of the store take so long before it begins. The last one of a commit makes it valid, so that a kill at any time of a
// commit undoes it.
func slowWrites(t *testing.T, e *harness.Edged, by time.Duration) {
	t.Helper()
	e.Wrap = []string{need.Tool(t, "strace"), "-f", "-qq", "--seccomp-bpf", "-o", "/dev/null", "-e", "trace=pwrite64", "-e", fmt.Sprintf("inject=pwrite64:delay_enter=%d", by.Microseconds())}
}

// settled brings the gateway to rest. Each receiver has had a message then, without which a stream has no position. In none of its lives may it have
// found something of the sessions that did not go together.
func settled(t *testing.T, e *harness.Edged) {
	t.Helper()
	p := newPublisher(e, false, "settled")
	p.must(t, rawmqtt.Publish{Topic: "both/settled", Payload: "settled", QoS: 1})
	p.leave()
	e.AtRest(30 * time.Second)
	for _, line := range strings.Split(e.Log(), "\n") {
		if strings.Contains(line, "stored sessions cannot be read") {
			t.Error(line)
		}
	}
}

// addr is where the gateway's broker listens.
func addr(e *harness.Edged) string { return fmt.Sprintf("127.0.0.1:%d", e.Broker) }

// login is a CONNECT of a client whose session stays: for the longest time in 3.1.1, for an hour in 5.
func login(v5 bool, id string) rawmqtt.Connect {
	o := rawmqtt.Connect{V5: v5, ID: id, Keep: true}
	if v5 {
		o.Props = rawmqtt.U32(0x11, 3600)
	}
	return o
}

// version is 3.1.1 or 5, for names.
func version(v5 bool) string {
	if v5 {
		return "5"
	}
	return "3"
}

// messages are n messages to a topic, numbered in their payload.
func messages(topic string, qos byte, n int) (ms []rawmqtt.Publish) {
	for i := range n {
		ms = append(ms, rawmqtt.Publish{Topic: topic, QoS: qos, Payload: fmt.Sprintf("%s %06d", topic, i)})
	}
	return ms
}

// lostAndTwice compares what was acknowledged with what came: the payloads that did not, and those that came more than once.
func lostAndTwice(acked, came []string) (lost, doubled []string) {
	n := map[string]int{}
	for _, p := range came {
		n[p]++
	}
	for _, p := range acked {
		if n[p] == 0 {
			lost = append(lost, p)
		}
	}
	for p, k := range n {
		for ; k > 1; k-- {
			doubled = append(doubled, p)
		}
	}
	slices.Sort(doubled)
	return lost, doubled
}

// payloads are those of messages of at least a QoS.
func payloads(ms []rawmqtt.Message, qos byte) (ps []string) {
	for _, m := range ms {
		if m.QoS >= qos {
			ps = append(ps, m.Payload)
		}
	}
	return ps
}

// rowPayloads are the payloads in a file of rows that begin with a prefix.
func rowPayloads(e *harness.Edged, file, prefix string) (ps []string) {
	for _, r := range e.Rows(file) {
		if p, _ := r["payload"].(string); strings.HasPrefix(p, prefix) {
			ps = append(ps, p)
		}
	}
	return ps
}

// outOfOrder are the messages that came after a later one of their topic and QoS for the first time [MQTT-4.6.0-6].
func outOfOrder(ms []rawmqtt.Message) (wrong []string) {
	type line struct {
		topic string
		qos   byte
	}
	last, seen := map[line]string{}, map[string]bool{}
	for _, m := range ms {
		if seen[m.Payload] {
			continue
		}
		seen[m.Payload] = true
		l := line{m.Topic, m.QoS}
		if m.Payload < last[l] {
			wrong = append(wrong, m.Payload)
		}
		last[l] = max(last[l], m.Payload)
	}
	return wrong
}

// some shows the first of many.
func some(all []string) string {
	if len(all) > 5 {
		return fmt.Sprintf("%d: %q …", len(all), all[:5])
	}
	return fmt.Sprintf("%d: %q", len(all), all)
}

// quickOrFull chooses by how much time there is.
func quickOrFull[T any](quick, full T) T {
	if all() {
		return full
	}
	return quick
}
