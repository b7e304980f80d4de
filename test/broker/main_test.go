package broker

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"sync"
	"sync/atomic"
	"testing"

	"edged/test/harness"
	"edged/test/rawmqtt"
)

var together harness.Shared

// TestMain lets many cases run at a time: most of them wait for something, and hardly any needs a processor.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "32"); err != nil {
		panic(err)
	}
	together.Main(m)
}

// gateway stores whatever the cases publish, so that acknowledgements come from commits.
const gateway = `
data_dir = "{{dir}}"
[http]
listen = "127.0.0.1:{{http}}"
[broker]
listen = ["tcp://127.0.0.1:{{broker}}"]
[receiver.field]
type = "mqtt"
topics = ["#"]
[stream.raw]
from = ["field"]
topics = ["#"]
sinks = ["archive"]
[sink.archive]
type = "file"
path = "raw.ndjson"
`

var running = sync.OnceValue(func() string {
	if addr := os.Getenv("EDGED_TEST_TARGET"); addr != "" {
		return addr
	}
	e := harness.New(&together, gateway)
	e.Start()
	return fmt.Sprintf("127.0.0.1:%d", e.Broker)
})

func foreign() bool { return os.Getenv("EDGED_TEST_TARGET") != "" }

// decided skips a case of what the specifications leave open, when the broker is not ours.
func decided(t *testing.T) {
	t.Helper()
	if foreign() {
		t.Skip("the specification leaves this open")
	}
}

var statement = regexp.MustCompile(`^v[35]:MQTT-\d+\.\d+\.\d+-\d+$`)

// shows says which statements a case shows, and lets it run beside the others.
func shows(t *testing.T, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if !statement.MatchString(s) {
			t.Fatalf("%q is not the number of a statement", s)
		}
	}
	t.Parallel()
}

// both runs a case as a client of 3.1.1 and as one of 5.
func both(t *testing.T, f func(t *testing.T, v5 bool)) {
	t.Helper()
	t.Run("v3", func(t *testing.T) { t.Parallel(); f(t, false) })
	t.Run("v5", func(t *testing.T) { t.Parallel(); f(t, true) })
}

var made atomic.Int64

// fresh is a name that nobody has used: a client identifier of at most 23 letters and digits, or the first level of topics.
func fresh() string { return fmt.Sprintf("c%dx%d", os.Getpid(), made.Add(1)) }

func dial(t *testing.T) *rawmqtt.Client {
	t.Helper()
	return rawmqtt.Dial(t, running())
}

// login connects, with an identifier of its own if o has none.
func login(t *testing.T, o rawmqtt.Connect) *rawmqtt.Client {
	t.Helper()
	w, _ := resume(t, o)
	return w
}

// resume connects and says whether there was a session.
func resume(t *testing.T, o rawmqtt.Connect) (w *rawmqtt.Client, present bool) {
	t.Helper()
	if o.ID == "" {
		o.ID = fresh()
	}
	return rawmqtt.Login(t, running(), o)
}

// client is the simplest login.
func client(t *testing.T, v5 bool) *rawmqtt.Client {
	t.Helper()
	return login(t, rawmqtt.Connect{V5: v5})
}

// keeping is a login of a session that stays: for ever in 3.1.1, for a minute in 5.
func keeping(v5 bool, id string) rawmqtt.Connect {
	o := rawmqtt.Connect{V5: v5, ID: id, Keep: true}
	if v5 {
		o.Props = rawmqtt.U32(0x11, 60)
	}
	return o
}
