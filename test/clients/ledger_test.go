package clients

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"edged/test/await"
)

// message is what was published, or what a subscriber got.
type message struct {
	topic   string
	payload string
	qos     byte
}

func (m message) String() string {
	p := m.payload
	if len(p) > 40 {
		p = p[:40] + fmt.Sprintf("… (%d bytes)", len(m.payload))
	}
	return fmt.Sprintf("%s %q", m.topic, p)
}

// ledger is what clients were told that it was taken.
type ledger struct {
	mu   sync.Mutex
	sent []message
}

// published enters what was acknowledged.
func (g *gateway) published(m ...message) {
	g.ledger.mu.Lock()
	defer g.ledger.mu.Unlock()
	g.ledger.sent = append(g.ledger.sent, m...)
}

// settle waits until what was published is in the file and the gateway is at rest, and compares its file with the ledger: each message is there as often as it was
// published, with the same bytes, and nothing else.
func (g *gateway) settle() {
	g.t.Helper()
	for end := time.Now().Add(await.Patience); len(g.Rows("raw.ndjson")) < len(g.ledger.sent) && time.Now().Before(end); {
		time.Sleep(20 * time.Millisecond)
	}
	g.AtRest(10 * time.Second)
	var want, have []string
	for _, m := range g.ledger.sent {
		want = append(want, m.topic+" "+base64.StdEncoding.EncodeToString([]byte(m.payload)))
	}
	if len(want) == 0 {
		g.t.Error("nothing was published: the ledger shows nothing")
	}
	for _, r := range g.Rows("raw.ndjson") {
		have = append(have, fmt.Sprint(r["topic"], " ", r["payload_base64"]))
	}
	if missing, more := differ(want, have); len(missing)+len(more) > 0 {
		g.t.Errorf("of %d acknowledged publishes %d are not in the file:\n%.2000s\nand there are %d more:\n%.2000s", len(want),
			len(missing), strings.Join(missing, "\n"), len(more), strings.Join(more, "\n"))
	}
	if n := g.Status().Broker.Malformed; n > 0 {
		g.t.Errorf("the broker finds fault with %d connections of clients that work elsewhere", n)
	}
}

// differ returns what is in one list only.
func differ(want, have []string) (missing, more []string) {
	n := map[string]int{}
	for _, s := range want {
		n[s]++
	}
	for _, s := range have {
		n[s]--
	}
	for s, k := range n {
		for ; k > 0; k-- {
			missing = append(missing, s)
		}
		for ; k < 0; k++ {
			more = append(more, s)
		}
	}
	slices.Sort(missing)
	slices.Sort(more)
	return missing, more
}

// samples are messages below a topic that are easily damaged on the way: one of each quality of service, then no bytes at
// all, all bytes there are, text of other scripts in the topic, and a payload of many records, frames and buffers.
func samples(topic string) []message {
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	big := make([]byte, 150<<10)
	r := rand.NewChaCha8([32]byte{1})
	_, _ = r.Read(big)
	return []message{
		{topic + "/0", "at most once", 0},
		{topic + "/1", "at least once", 1},
		{topic + "/2", "exactly once", 2},
		{topic + "/empty", "", 1},
		{topic + "/bytes", string(every), 2},
		{topic + "/Größe/温度", "21,5 °C 🌡", 1},
		{topic + "/big", string(big), 1},
	}
}

// same compares what a subscriber got with what was published, order and quality of service included.
func same(want, have []message) error {
	for i := range max(len(want), len(have)) {
		switch {
		case i >= len(have):
			return fmt.Errorf("the subscriber got %d of %d messages; missing is %v", len(have), len(want), want[i])
		case i >= len(want):
			return fmt.Errorf("the subscriber got one more than %d messages: %v", len(want), have[i])
		case want[i] != have[i]:
			return fmt.Errorf("message %d: the subscriber got %v with QoS %d, want %v with QoS %d", i, have[i], have[i].qos, want[i], want[i].qos)
		}
	}
	return nil
}
