package daemon

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"edged/configs"
)

// textFile is a configuration file.
type textFile struct {
	mu   sync.Mutex
	text string
}

func (f *textFile) put(text string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.text = text
}

func (f *textFile) read() (string, []byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return "edged.toml", []byte(f.text), nil
}

// reloading makes a gateway of a file.
func reloading(t *testing.T, text string) (*Daemon, *textFile, *slog.LevelVar) {
	t.Helper()
	c, problems, _ := configs.Load("edged.toml", []byte(text))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	f, level := &textFile{text: text}, new(slog.LevelVar)
	d, err := New(Options{Config: c, Text: []byte(text), Read: f.read, Level: level, Log: slog.New(slog.DiscardHandler), Stdout: io.Discard, Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	return d, f, level
}

// Reloads that come at once are done one after the other; the last file is what runs. Status, metrics and health are asked for meanwhile.
func TestReloadsAtOnce(t *testing.T) {
	first := fmt.Sprintf(gateway, t.TempDir())
	second := strings.Replace(first, "[receiver.field]", "[log]\nlevel = \"warn\"\n[receiver.field]\nmax_rate = \"1000/s\"", 1)
	second = strings.Replace(second, "[stream.raw]", "[stream.raw]\nwhere = \"value > 1\"", 1)
	d, f, level := reloading(t, first)
	stop := run(t, d)
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 5 {
				f.put([]string{first, second}[(g+i)%2])
				if r := d.ReloadNow(t.Context()); len(r.Problems) > 0 {
					t.Errorf("%q", r.Problems)
				}
				d.Reload()
				for _, path := range []string{"/api/status", "/metrics", "/healthz"} {
					if code, body := get(t, d, path); code != http.StatusOK {
						t.Errorf("%s: %d %s", path, code, body)
					}
				}
			}
		})
	}
	wg.Wait()
	f.put(second)
	if r := d.ReloadNow(t.Context()); len(r.Problems) > 0 {
		t.Fatal(r.Problems)
	}
	if s := d.Status(); len(s.Problems) != 0 || level.Level() != slog.LevelWarn || len(d.now().inputs) != 2 || len(d.doors) != 1 {
		t.Errorf("%q %v %d %d", s.Problems, level, len(d.now().inputs), len(d.doors))
	}
	if _, body := get(t, d, "/metrics"); strings.Count(body, "edged_receiver_up{receiver=\"field\"}") != 1 {
		t.Errorf("the metrics of former parts are still there:\n%s", body)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	if r := d.ReloadNow(context.Background()); len(r.Problems) != 1 || r.Problems[0] != "the gateway is stopping" {
		t.Errorf("after the stop: %q", r)
	}
}

// A stop that comes in the middle of a reload ends in time, with everything stopped.
func TestAStopDuringAReload(t *testing.T) {
	dir := t.TempDir()
	for i := range 8 {
		first := fmt.Sprintf(gateway, dir)
		d, f, _ := reloading(t, first)
		stop := run(t, d)
		f.put(strings.Replace(first, "[stream.raw]", fmt.Sprintf("[batch]\ninterval = \"%ds\"\n[stream.raw]\nwhere = \"value > %d\"", i+2, i), 1))
		d.Reload()
		time.Sleep(time.Duration(i*i*10) * time.Millisecond) // anywhere in it
		began := time.Now()
		if err := stop(); err != nil || time.Since(began) > stopWithin {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	}
}

// What does not stop in time ends the gateway with an error: its next start has the new configuration.
func TestAReloadThatFailsHalfwayEndsTheGateway(t *testing.T) {
	first := fmt.Sprintf(gateway, t.TempDir())
	d, f, _ := reloading(t, first)
	d.patience = 0
	stop := run(t, d)
	f.put(strings.Replace(first, "[stream.raw]", "[stream.raw]\nwhere = \"value > 1\"", 1))
	r := d.ReloadNow(t.Context())
	if len(r.Problems) != 1 || !strings.Contains(r.Problems[0], "stream raw did not stop in time; edged ends, so that the next start takes the configuration into use") {
		t.Errorf("%q", r.Problems)
	}
	<-d.over // by itself
	if err := stop(); err == nil || !strings.Contains(err.Error(), "did not stop in time") {
		t.Errorf("it ended with %v", err)
	}
}

// A page in a browser may not ask, and a gateway without a file has none to read.
func TestWhoMayReload(t *testing.T) {
	d := gatewayOf(t, fmt.Sprintf(gateway, t.TempDir()))
	run(t, d)
	for _, c := range []struct {
		site, want string
		code       int
	}{{"cross-site", "not from a browser", 403}, {"", "this gateway has no configuration file", 409}} {
		req, _ := http.NewRequest(http.MethodPost, "http://"+d.HTTPAddr().String()+"/api/reload", nil)
		if c.site != "" {
			req.Header.Set("Sec-Fetch-Site", c.site)
		}
		res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if res.StatusCode != c.code || !strings.Contains(string(text), c.want) {
			t.Errorf("%d %s", res.StatusCode, text)
		}
	}
}
