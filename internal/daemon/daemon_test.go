package daemon

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"edged/blockstore"
	"edged/configs"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const gateway = `
data_dir = %q
[http]
listen = "127.0.0.1:0"
[broker]
listen = ["tcp://127.0.0.1:0"]
[receiver.field]
type = "mqtt"
topics = ["site/#"]
[stream.raw]
from = ["field"]
topics = ["site/#"]
sinks = ["screen"]
[sink.screen]
type = "console"
`

// gatewayOf makes a gateway that is not running.
func gatewayOf(t *testing.T, text string) *Daemon { t.Helper(); return gatewayTo(t, text, io.Discard) }

// gatewayTo is gatewayOf with a screen.
func gatewayTo(t *testing.T, text string, screen io.Writer) *Daemon {
	t.Helper()
	c, problems, _ := configs.Load("edged.toml", []byte(text))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	d, err := New(Options{Config: c, Log: slog.New(slog.DiscardHandler), Stdout: screen, Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// run runs it until the test ends.
func run(t *testing.T, d *Daemon) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- d.Run(ctx, func() { close(ready) }) }()
	<-ready
	stopped := false
	stop = func() error {
		if stopped {
			return nil
		}
		stopped = true
		cancel()
		return <-ended
	}
	t.Cleanup(func() { _ = stop() })
	return stop
}

func get(t *testing.T, d *Daemon, path string) (code int, body string) {
	t.Helper()
	c := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := c.Get("http://" + d.HTTPAddr().String() + path)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

func TestTheHTTPListener(t *testing.T) {
	d := gatewayOf(t, fmt.Sprintf(gateway, t.TempDir()))
	stop := run(t, d)
	for path, want := range map[string]string{
		"/healthz":    "ok\n",
		"/readyz":     "ok\n",
		"/api/status": `"state": "started"`,
		"/metrics":    `edged_receiver_received_total{receiver="field"} 0`,
	} {
		if code, body := get(t, d, path); code != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%s: %d, without %q:\n%s", path, code, want, body)
		}
	}
	for path, want := range map[string]int{"/": 404, "/api/tail?topic=a%23": 400, "/api/tail": 400} {
		if code, body := get(t, d, path); code != want {
			t.Errorf("%s: %d %s, want %d", path, code, body, want)
		}
	}
	if err := stop(); err != nil {
		t.Errorf("stopped with %v", err)
	}
	if err := d.Run(context.Background(), nil); !errors.Is(err, errStartedTwice) {
		t.Errorf("started twice: %v", err)
	}
}

func TestTail(t *testing.T) {
	d := gatewayOf(t, fmt.Sprintf(gateway, t.TempDir()))
	run(t, d)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+d.HTTPAddr().String()+"/api/tail?topic=site/%23", nil)
	res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	for _, payload := range []string{"<1>", "\xff"} {
		if err := d.broker.Publish(t.Context(), "site/1", []byte(payload), 1, false); err != nil {
			t.Fatal(err)
		}
	}
	var got bytes.Buffer
	buf := make([]byte, 1024)
	for strings.Count(got.String(), "\n") < 2 {
		n, err := res.Body.Read(buf)
		got.Write(buf[:n])
		if err != nil {
			t.Fatalf("%v after %q", err, got.String())
		}
	}
	if s := got.String(); !strings.Contains(s, `"topic":"site/1","payload":"<1>"`) || !strings.Contains(s, `"payload_base64":"/w=="`) {
		t.Errorf("the tail is\n%s", s)
	}
}

// A place that is refused stops the start with one error, and leaves nothing open behind it.
func TestWhatIsOpenedIsClosedWhenTheStartFails(t *testing.T) {
	dir := t.TempDir()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, problems, _ := configs.Load("edged.toml", []byte(strings.Replace(fmt.Sprintf(gateway, dir), `["tcp://127.0.0.1:0"]`, fmt.Sprintf(`["tcp://%s"]`, l.Addr()), 1)))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if _, err := New(Options{Config: c, Log: slog.New(slog.DiscardHandler)}); err == nil || !strings.Contains(err.Error(), l.Addr().String()) {
		t.Fatalf("the port is taken: %v", err)
	}
	d := gatewayOf(t, fmt.Sprintf(gateway, dir)) // the store's lock was given back
	if err := run(t, d)(); err != nil {
		t.Error(err)
	}
}

// The watchdog starves when something does not come round, and not while one commit is under way for less than its limit.
func TestHealthIsProgress(t *testing.T) {
	now := time.Now()
	ago := func(seconds int) time.Time { return now.Add(-time.Duration(seconds) * time.Second) }
	for name, c := range map[string]struct {
		p    progress
		want string
	}{
		"just started":          {progress{started: ago(44)}, ""},
		"never came round":      {progress{started: ago(46)}, "the committer"},
		"slow commit":           {progress{store: blockstore.Progress{LastRound: ago(60), CommitFrom: ago(44)}}, ""},
		"endless commit":        {progress{store: blockstore.Progress{LastRound: ago(60), CommitFrom: ago(46)}}, "a commit"},
		"stream stuck":          {progress{store: blockstore.Progress{LastRound: now}, parts: []round{{"stream pins", true, ago(46)}}}, "stream pins"},
		"stream to be retried":  {progress{store: blockstore.Progress{LastRound: now}, parts: []round{{"stream pins", false, ago(46)}}}, ""},
		"sink waits for commit": {progress{store: blockstore.Progress{LastRound: now, CommitFrom: ago(1)}, parts: []round{{"sink cloud", true, ago(46)}}}, ""},
		"sink stuck":            {progress{store: blockstore.Progress{LastRound: now}, parts: []round{{"stream pins", true, now}, {"sink cloud", true, ago(46)}}}, "sink cloud"},
	} {
		if err := c.p.stuck(now); c.want == "" && err != nil || c.want != "" && (err == nil || !strings.HasPrefix(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}
