package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"edged/test/harness"
	"edged/test/need"
)

// listener is a mosquitto_sub that keeps its session at the gateway's broker.
type listener struct {
	mu   sync.Mutex
	rows map[string][]map[string]any // by topic, in order
	seen map[string]int              // by topic and payload
}

// listen starts one, which reconnects by itself.
func listen(t *testing.T, port int, filter string) *listener {
	t.Helper()
	l := &listener{rows: map[string][]map[string]any{}, seen: map[string]int{}}
	cmd := exec.Command(need.Tool(t, "mosquitto_sub"), "-h", "127.0.0.1", "-p", fmt.Sprint(port), "-i", "listener", "-c", "-q", "1", "-t", filter, "-v")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		for in := bufio.NewScanner(out); in.Scan(); {
			topic, payload, _ := strings.Cut(in.Text(), " ")
			var row map[string]any
			if json.Unmarshal([]byte(payload), &row) != nil {
				continue
			}
			l.mu.Lock()
			if l.seen[in.Text()]++; l.seen[in.Text()] == 1 {
				l.rows[topic] = append(l.rows[topic], row)
			}
			l.mu.Unlock()
		}
	}()
	t.Cleanup(func() { _ = cmd.Process.Kill(); <-read; _ = cmd.Wait() })
	return l
}

// count is what the windows on a topic have counted, each of them once.
func (l *listener) count(topic string) (n float64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range l.rows[topic] {
		c, _ := r["n"].(float64)
		n += c
	}
	return n
}

// Results go to the embedded broker, and a subscriber with a session gets each of them, in order, across kills of the gateway.
func TestResultsArePublished(t *testing.T) {
	t.Parallel()
	config := fmt.Sprintf(base, `, "hub"`) + `
[sink.hub]
type = "mqtt"
topic = "results/{stream}/{device}"
`
	e := harness.New(t, config)
	e.Start()
	l := listen(t, e.Broker, "results/#")
	e.Subscribed(t, "listener", 1)
	sent := 0
	send := func(n int) {
		for range n {
			publish(t, e.Broker, "-q", "1", "-t", "site/7/gpio/3", "-m", fmt.Sprintf(`{"value":%d}`, sent))
			sent++
		}
	}
	for range 3 {
		send(20)
		e.Kill()
		e.Start()
	}
	send(5)
	harness.Until(t, 60*time.Second, "every reading is in a result", func() bool { return l.count("results/pins/7") >= float64(sent) })
	if n := l.count("results/pins/7"); n != float64(sent) {
		t.Errorf("the results have counted %v of %d", n, sent)
	}
	l.mu.Lock()
	before := ""
	for _, r := range l.rows["results/pins/7"] {
		at, _ := r["window_start"].(string)
		if at <= before || r["stream"] != "pins" || r["device"] != "7" {
			t.Errorf("%v behind %s", r, before)
		}
		before = at
	}
	l.mu.Unlock()
	e.AtRest(10 * time.Second)
	if err := e.Stop(); err != nil {
		t.Error(err)
	}
}
