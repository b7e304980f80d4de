package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"edged/test/harness"
	"edged/test/need"
)

// A reading published with mosquitto_pub ends, aggregated and durable, in a file and at an HTTP endpoint.
func TestTheWayOfAReading(t *testing.T) {
	t.Parallel()
	cloud := harness.NewServer(t)
	e := harness.New(t, withCloud(base, cloud.URL))
	e.Start()
	for range 10 {
		publish(t, e.Broker, "-q", "1", "-t", "site/7/gpio/3", "-m", `{"value":21.5}`)
	}
	harness.Until(t, 8*time.Second, "the windows of device 7, pin 3 are in the file and at the server", func() bool {
		return sum(e.Rows("aggregates.ndjson"), "7", "3", "n") == 10 && sum(cloud.Rows(), "7", "3", "n") == 10
	})
	e.AtRest(5 * time.Second)
	if n := len(e.Rows("raw.ndjson")); n != 10 {
		t.Errorf("the raw file holds %d of 10", n)
	}
	row := e.Rows("raw.ndjson")[0]
	if row["stream"] != "raw" || row["topic"] != "site/7/gpio/3" || fmt.Sprint(row["payload"]) != "map[value:21.5]" {
		t.Errorf("a raw row is %v", row)
	}
	if err := e.Stop(); err != nil {
		t.Errorf("stopped with %v", err)
	}
}

func TestTheSameThroughAnExternalBroker(t *testing.T) {
	t.Parallel()
	x := mosquitto(t)
	port := x.port
	config := fmt.Sprintf(`
data_dir = "{{dir}}"
[http]
listen = "127.0.0.1:{{http}}"
[receiver.field]
type = "mqtt"
broker = "tcp://127.0.0.1:%d"
client_id = "edged-test"
topics = ["site/#"]
`, port) + strings.Replace(streams, "%s", "", 1)
	e := harness.New(t, config)
	e.Start()
	harness.Until(t, 10*time.Second, "the receiver is connected", func() bool {
		publish(t, port, "-q", "1", "-t", "site/0/ready", "-m", "1")
		return e.Status().Receivers[0].Stored > 0
	})
	for range 10 {
		publish(t, port, "-q", "1", "-t", "site/7/gpio/3", "-m", `{"value":21.5}`)
	}
	// The gateway is away, killed; its session at the broker keeps what is published meanwhile.
	e.Kill()
	for range 5 {
		publish(t, port, "-q", "1", "-t", "site/7/gpio/3", "-m", `{"value":21.5}`)
	}
	e.Start()
	harness.Until(t, 20*time.Second, "everything published is in the windows", func() bool {
		return sum(e.Rows("aggregates.ndjson"), "7", "3", "n") >= 15
	})
	// The broker is killed; the gateway says so and comes back by itself.
	x.kill()
	harness.Until(t, 10*time.Second, "the loss of the broker is said", func() bool { return strings.Contains(e.Log(), "receiver field: no connection to the broker") })
	x.start()
	harness.Until(t, 30*time.Second, "the receiver is back", func() bool {
		publish(t, port, "-q", "1", "-t", "site/7/gpio/3", "-m", `{"value":21.5}`)
		return raw(e.Rows("raw.ndjson"))["7/3"] > 15
	})
	e.AtRest(15 * time.Second)
	if n := raw(e.Rows("raw.ndjson"))["7/3"]; n < 16 {
		t.Errorf("%v of 16 in the raw file", n)
	}
	harness.Until(t, 10*time.Second, "the windows hold the raw rows", func() bool {
		return counted(e.Rows("aggregates.ndjson"))["7/3"] == raw(e.Rows("raw.ndjson"))["7/3"]
	})
	if a, b := counted(e.Rows("aggregates.ndjson")), raw(e.Rows("raw.ndjson")); a["7/3"] != b["7/3"] {
		t.Errorf("windows %v, raw %v", a, b)
	}
}

func TestSubscribersGetWhatIsStoredAndRetainedMessagesStay(t *testing.T) {
	t.Parallel()
	e := harness.New(t, fmt.Sprintf(base, ""))
	e.Start()
	sub := exec.Command(need.Tool(t, "mosquitto_sub"), "-h", "127.0.0.1", "-p", fmt.Sprint(e.Broker), "-q", "1", "-t", "site/#", "-v", "-C", "1", "-W", "180")
	var out bytes.Buffer
	sub.Stdout = &out
	if err := sub.Start(); err != nil {
		t.Fatal(err)
	}
	subscribed(t, e, 1)
	publish(t, e.Broker, "-q", "1", "-t", "site/7/gpio/3", "-m", `{"value":1}`, "-r")
	if err := sub.Wait(); err != nil || strings.TrimSpace(out.String()) != `site/7/gpio/3 {"value":1}` {
		t.Fatalf("the subscriber: %v, %q", err, out.String())
	}
	harness.Until(t, 5*time.Second, "the message is stored too", func() bool { return len(e.Rows("raw.ndjson")) == 1 })
	e.Kill()
	e.Start()
	got := harness.Run(t, need.Tool(t, "mosquitto_sub"), "-h", "127.0.0.1", "-p", fmt.Sprint(e.Broker), "-t", "site/#", "-v", "-C", "1", "-W", "180")
	if strings.TrimSpace(got) != `site/7/gpio/3 {"value":1}` {
		t.Fatalf("after a kill the retained message is %q", got)
	}
}

func subscribed(t *testing.T, e *harness.Edged, n int) {
	t.Helper()
	harness.Until(t, 10*time.Second, "the client is subscribed", func() bool { return e.Status().Broker.Subscriptions == n })
}

// A will is stored like any message.
func TestWillsAreStored(t *testing.T) {
	t.Parallel()
	e := harness.New(t, fmt.Sprintf(base, ""))
	e.Start()
	sub := exec.Command(need.Tool(t, "mosquitto_sub"), "-h", "127.0.0.1", "-p", fmt.Sprint(e.Broker), "-t", "other",
		"--will-topic", "site/9/gpio/door", "--will-payload", `{"value":-1}`, "--will-qos", "1")
	if err := sub.Start(); err != nil {
		t.Fatal(err)
	}
	subscribed(t, e, 1)
	sub.Process.Kill()
	sub.Wait()
	harness.Until(t, 10*time.Second, "the will is in the raw file", func() bool { return raw(e.Rows("raw.ndjson"))["9/door"] == 1 })
}

// The endpoint is down: the file goes on without a pause, and everything arrives after, in order, each key once.
func TestADeadEndpointHoldsBackItselfOnly(t *testing.T) {
	t.Parallel()
	cloud := harness.NewServer(t)
	var down atomic.Bool
	down.Store(true)
	cloud.Answer(func(*http.Request, string) int {
		if down.Load() {
			return http.StatusServiceUnavailable
		}
		return http.StatusNoContent
	})
	e := harness.New(t, withCloud(base, cloud.URL))
	e.Start()
	outage := 8 * time.Second
	sent := 0
	for end := time.Now().Add(outage); time.Now().Before(end); sent++ {
		publish(t, e.Broker, "-q", "1", "-t", "site/7/gpio/3", "-m", fmt.Sprintf(`{"value":%d}`, sent))
		time.Sleep(50 * time.Millisecond)
	}
	harness.Until(t, 20*time.Second, "the file has all windows while the endpoint is down", func() bool {
		return sum(e.Rows("aggregates.ndjson"), "7", "3", "n") == float64(sent)
	})
	if len(cloud.Rows()) > 0 {
		t.Fatal("the endpoint was not down")
	}
	down.Store(false)
	harness.Until(t, 30*time.Second, "everything arrives after the outage", func() bool { return sum(cloud.Rows(), "7", "3", "n") == float64(sent) })
	e.AtRest(5 * time.Second)
	keys, twice, other := cloud.Keys()
	if len(twice)+len(other) > 0 {
		t.Errorf("of %d keys these came twice: %v, these with other bytes: %v", len(keys), twice, other)
	}
	file := e.Rows("aggregates.ndjson")
	if got := cloud.Rows(); len(got) != len(file) {
		t.Errorf("%d rows at the endpoint, %d in the file", len(got), len(file))
	} else {
		for i := range got {
			if fmt.Sprint(got[i]) != fmt.Sprint(file[i]) {
				t.Fatalf("row %d: the endpoint has %v, the file %v", i, got[i], file[i])
			}
		}
	}
}

// What cannot be decoded goes to the dead letters with its reason, and the stream goes on.
func TestPoisonGoesToTheDeadLetters(t *testing.T) {
	t.Parallel()
	cloud := harness.NewServer(t)
	cloud.Answer(func(_ *http.Request, body string) int {
		if strings.Contains(body, `"max":66`) {
			return http.StatusUnprocessableEntity
		}
		return http.StatusNoContent
	})
	e := harness.New(t, withCloud(base, cloud.URL))
	e.Start()
	publish(t, e.Broker, "-q", "1", "-t", "site/7/gpio/1", "-m", `{"value":1}`)
	publish(t, e.Broker, "-q", "1", "-t", "site/7/gpio/2", "-m", `not JSON`)
	publish(t, e.Broker, "-q", "1", "-t", "site/7/gpio/3", "-m", `{"value":66}`)
	publish(t, e.Broker, "-q", "1", "-t", "site/7/gpio/4", "-m", `{"value":4}`)
	harness.Until(t, 15*time.Second, "the good rows arrive", func() bool {
		return sum(cloud.Rows(), "7", "1", "n") == 1 && sum(cloud.Rows(), "7", "4", "n") == 1
	})
	s := e.AtRest(10 * time.Second)
	dead := map[string]int{}
	for _, r := range e.Rows("dead.ndjson") {
		dead[fmt.Sprint(r["stream"], " ", r["sink"])]++
		if r["reason"] == nil || r["payload"] == nil && r["payload_base64"] == nil {
			t.Errorf("a dead letter without reason or payload: %v", r)
		}
	}
	if dead["raw <nil>"] != 1 || dead["pins <nil>"] != 1 || dead["pins cloud"] != 1 {
		t.Errorf("dead letters: %v", e.Rows("dead.ndjson"))
	}
	for _, st := range s.Streams {
		if st.Dead != 1 {
			t.Errorf("stream %s counts %d dead", st.Stream, st.Dead)
		}
	}
}
