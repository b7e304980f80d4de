package fault

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"edged/internal/daemon"
	"edged/sinks/delivery"
	"edged/test/harness"
	"edged/test/load"
	"edged/test/need"
	"edged/test/rawmqtt"
	"edged/test/verdict"
)

// long keeps a test for the long form: the quick half has its like.
func long(t testing.TB) {
	t.Helper()
	if !all() {
		t.Skip("in the long form only (make test-faults)")
	}
}

// volume is a small file system in memory, below the data directory's parent.
type volume struct {
	t   testing.TB
	dir string
}

// mount mounts a file system of so many MiB for as long as the test runs.
func mount(t testing.TB, dir string, mib int) volume {
	t.Helper()
	need.Root(t)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("edged-test", dir, "tmpfs", 0, fmt.Sprintf("size=%dm,mode=0755", mib)); err != nil {
		need.Missing(t, "no file system can be mounted: "+err.Error())
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	return volume{t, dir}
}

// resize makes it larger.
func (v volume) resize(mib int) {
	v.t.Helper()
	if err := syscall.Mount("", v.dir, "", syscall.MS_REMOUNT, fmt.Sprintf("size=%dm", mib)); err != nil {
		v.t.Fatal(err)
	}
}

// stuff fills what is left of it, to the last block; the returned function takes that away.
func (v volume) stuff() (empty func()) {
	v.t.Helper()
	path := filepath.Join(v.dir, "of-somebody-else")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		v.t.Fatal(err)
	}
	defer f.Close()
	for size := 1 << 20; size > 0; {
		if _, err := f.Write(make([]byte, size)); err != nil {
			size /= 2
		}
	}
	return func() { _ = os.Remove(path) }
}

func (v volume) free() int64 {
	v.t.Helper()
	var st syscall.Statfs_t
	if err := syscall.Statfs(v.dir, &st); err != nil {
		v.t.Fatal(err)
	}
	return int64(st.Bavail) * st.Bsize
}

// runs starts a gateway that cannot take anything in: it is up, and not ready.
func runs(t testing.TB, e *harness.Edged) {
	t.Helper()
	e.Launch()
	harness.Until(t, 20*time.Second, "the gateway runs", func() bool {
		res, err := http.Get(e.URL("/healthz"))
		if err != nil {
			return false
		}
		res.Body.Close()
		return res.StatusCode == http.StatusOK
	})
}

// inject has the system calls of a running gateway on one file fail or take long, until the returned function is called.
// The rules are strace's, with blanks between them.
func inject(t testing.TB, e *harness.Edged, path, rules string) (heal func()) {
	t.Helper()
	args := []string{"-f", "-qq", "-o", "/dev/null", "-p", fmt.Sprint(e.PID()), "-P", path}
	var calls []string
	for _, rule := range strings.Fields(rules) {
		call, _, _ := strings.Cut(rule, ":")
		calls, args = append(calls, call), append(args, "-e", "inject="+rule)
	}
	cmd := exec.Command(need.Tool(t, "strace"), append(args, "-e", "trace="+strings.Join(calls, ","))...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pid, ended := e.PID(), false
	heal = func() {
		if !ended {
			ended = true
			_ = cmd.Process.Signal(syscall.SIGTERM) // it lets go of the process
			_ = cmd.Wait()
		}
	}
	t.Cleanup(heal)
	harness.Until(t, 30*time.Second, "every thread is traced", func() bool {
		threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
		for _, path := range threads {
			if text, err := os.ReadFile(path); err != nil || strings.Contains(string(text), "TracerPid:\t0\n") {
				return false
			}
		}
		return true
	})
	return heal
}

// sinkOf is a sink in a status.
func sinkOf(t testing.TB, s daemon.Status, name string) daemon.SinkStatus {
	t.Helper()
	for _, k := range s.Sinks {
		if k.Name == name {
			return k
		}
	}
	t.Fatalf("no sink %s", name)
	return daemon.SinkStatus{}
}

func deliveryOf(t testing.TB, s daemon.Status, stream, sink string) delivery.Status {
	t.Helper()
	for _, d := range sinkOf(t, s, sink).Deliveries {
		if d.Stream == stream {
			return d
		}
	}
	t.Fatalf("no delivery of %s to %s", stream, sink)
	return delivery.Status{}
}

// says waits until the status has a sentence with all these words.
func says(t testing.TB, e *harness.Edged, words ...string) {
	t.Helper()
	var problems []string
	defer func() {
		if t.Failed() {
			t.Logf("status says %q", problems)
		}
	}()
	harness.Until(t, 30*time.Second, fmt.Sprintf("status says %q", words), func() bool {
		problems = e.Status().Problems
		for _, p := range problems {
			all := true
			for _, w := range words {
				all = all && strings.Contains(p, w)
			}
			if all {
				return true
			}
		}
		return false
	})
}

// crowded waits until the receiver's queue takes nothing more: whatever is published from then on is refused in time.
func crowded(t testing.TB, e *harness.Edged) {
	t.Helper()
	harness.Until(t, 30*time.Second, "the receiver's queue is full", func() bool {
		b := e.Status().Receivers[0].Blocks
		return b.Bytes >= 1<<20 || b.Queue >= 10
	})
}

// refusal publishes with MQTT 5 and QoS 1 and returns the reason code of the PUBACK.
func refusal(t testing.TB, e *harness.Edged) byte {
	t.Helper()
	w, _ := rawmqtt.Login(t, fmt.Sprintf("127.0.0.1:%d", e.Broker), rawmqtt.Connect{ID: "asks", V5: true, Keepalive: 2}) // a publish waits for room for two fifths of that
	defer w.Close()
	w.Publish(rawmqtt.Publish{Topic: "site/999/gpio/0", QoS: 1, ID: 1, Payload: `{"value":1,"seq":0,"conn":999}`})
	ack := w.Read()
	if ack.Kind != 0x40 || ack.ID() != 1 {
		t.Fatalf("want PUBACK, have %v", ack)
	}
	return ack.Code()
}

// keep writes rows that an endpoint took to a file, for load.Judge.
func keep(t testing.TB, e *harness.Edged, name string, rows []map[string]any) {
	t.Helper()
	var text []byte
	for _, r := range rows {
		line, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		text = append(append(text, line...), '\n')
	}
	if err := os.WriteFile(filepath.Join(e.Dir, name), text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// worse is the sum of two verdicts on the same messages, by two sinks.
func worse(a, b verdict.Verdict) verdict.Verdict {
	a.Lost += b.Lost
	a.Doubled += b.Doubled
	return a
}

// demonstrate shows that a check of the rows can fail: with a row taken away, and with one twice.
func demonstrate(t testing.TB, e *harness.Edged, r load.Run, fault, file string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(e.Dir, file))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(text), "\n")
	if len(lines) < 4 {
		t.Fatal("no rows")
	}
	for _, c := range []struct{ what, text string }{
		{"a row taken away", strings.Join(lines[1:], "")},
		{"a row written twice", lines[0] + string(text)},
	} {
		if err := os.WriteFile(filepath.Join(e.Dir, "broken.ndjson"), []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		v := load.Judge(t, e, r, fault+", "+c.what, "broken.ndjson")
		if r.Resent > 0 && c.what == "a row written twice" {
			continue // what was published twice may be there twice
		}
		v.Breaks(t)
	}
}
