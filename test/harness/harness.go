// Package harness runs the real program: it builds it once, starts it with a configuration on ports of its own, kills it,
// and reads what it wrote.
package harness

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"edged/internal/daemon"
	"edged/test/await"
	"edged/test/port"
)

var build struct {
	sync.Mutex
	dir  string
	made map[string]string
}

// Binary builds a command of the project, once for all tests of a package. Main removes it.
func Binary(t testing.TB, pkg string) string { return Variant(t, pkg, "") }

// Variant is Binary with a build tag: edged_nosync is a program that syncs nothing, edged_ackfirst one that acknowledges before it commits. They are
// for the controls of fault tests.
func Variant(t testing.TB, pkg, tag string) string {
	t.Helper()
	if pkg == "edged/cmd/edged" && tag == "" {
		if path := os.Getenv("EDGED_BINARY"); path != "" {
			return path
		}
	}
	if dir := os.Getenv("EDGED_BINARIES"); dir != "" { // a machine without Go was given them
		return filepath.Join(dir, filepath.Base(pkg)+tag)
	}
	build.Lock()
	defer build.Unlock()
	if path, ok := build.made[pkg+" "+tag]; ok {
		return path
	}
	if build.dir == "" {
		dir, err := os.MkdirTemp("", "edged-test-")
		if err != nil {
			t.Fatal(err)
		}
		build.dir, build.made = dir, map[string]string{}
	}
	path := filepath.Join(build.dir, filepath.Base(pkg)+tag)
	cmd := exec.Command("go", "build", "-tags", tag, "-o", path, pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building %s: %v\n%s", pkg, err, out)
	}
	build.made[pkg+" "+tag] = path
	return path
}

// Main is a package's TestMain: it removes what Binary built.
func Main(m *testing.M) {
	code := m.Run()
	if build.dir != "" {
		os.RemoveAll(build.dir)
	}
	os.Exit(code)
}

// Edged is a gateway under test: a data directory, a configuration, and at most one process at a time.
type Edged struct {
	t      testing.TB
	Dir    string   // data_dir
	File   string   // the configuration
	Broker int      // port
	HTTP   int      // port
	Wrap   []string // put before the command: strace …
	Args   []string // put behind it
	Tag    string   // the program is a Variant
	cmd    *exec.Cmd
	log    bytes.Buffer
	logMu  sync.Mutex
	waited chan error
}

// New makes a gateway with a configuration, in which {{dir}}, {{broker}} and {{http}} are filled in.
func New(t testing.TB, config string) *Edged {
	t.Helper()
	e := &Edged{t: t, Dir: t.TempDir(), Broker: port.Free(t), HTTP: port.Free(t)}
	e.File = filepath.Join(t.TempDir(), "edged.toml")
	e.Configure(config)
	t.Cleanup(func() {
		e.Kill()
		if t.Failed() {
			t.Logf("the gateway's log:\n%s", e.Log())
		}
	})
	return e
}

// Configure writes another configuration for the next start.
func (e *Edged) Configure(config string) {
	e.t.Helper()
	text := strings.NewReplacer("{{dir}}", e.Dir, "{{broker}}", fmt.Sprint(e.Broker), "{{http}}", fmt.Sprint(e.HTTP)).Replace(config)
	if err := os.WriteFile(e.File, []byte(text), 0o600); err != nil {
		e.t.Fatal(err)
	}
}

// Start starts the process and waits until it is ready.
func (e *Edged) Start() {
	e.t.Helper()
	e.Launch()
	e.Ready()
}

// Launch starts the process.
func (e *Edged) Launch() {
	e.t.Helper()
	args := append(append([]string{}, e.Wrap...), Variant(e.t, "edged/cmd/edged", e.Tag), "run", "--config", e.File)
	args = append(args, e.Args...)
	e.cmd = exec.Command(args[0], args[1:]...)
	e.cmd.Stdout, e.cmd.Stderr = e, e
	e.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := e.cmd.Start(); err != nil {
		e.t.Fatal(err)
	}
	e.waited = make(chan error, 1)
	go func(cmd *exec.Cmd, waited chan error) { waited <- cmd.Wait() }(e.cmd, e.waited)
}

// Write implements io.Writer for the process's output.
func (e *Edged) Write(p []byte) (int, error) {
	e.logMu.Lock()
	defer e.logMu.Unlock()
	return e.log.Write(p)
}

// Log is what the processes have written so far.
func (e *Edged) Log() string {
	e.logMu.Lock()
	defer e.logMu.Unlock()
	return e.log.String()
}

// PID is the process's id.
func (e *Edged) PID() int { return e.cmd.Process.Pid }

// Ready waits until the gateway takes messages in.
func (e *Edged) Ready() {
	e.t.Helper()
	Until(e.t, patience, "the gateway is ready", func() bool {
		select {
		case err := <-e.waited:
			e.waited <- err
			e.t.Fatalf("the gateway has ended: %v\n%s", err, e.Log())
		default:
		}
		return e.IsReady()
	})
}

// IsReady reports whether the gateway takes messages in.
func (e *Edged) IsReady() bool {
	res, err := http.Get(e.URL("/readyz"))
	if err != nil {
		return false
	}
	res.Body.Close()
	return res.StatusCode == http.StatusOK
}

// URL is an address of the gateway's HTTP listener.
func (e *Edged) URL(path string) string { return fmt.Sprintf("http://127.0.0.1:%d%s", e.HTTP, path) }

// Kill ends the process with SIGKILL, and waits for it.
func (e *Edged) Kill() { e.end(syscall.SIGKILL) }

// Stop ends the process with SIGTERM and returns its exit error.
func (e *Edged) Stop() error {
	e.t.Helper()
	return e.end(syscall.SIGTERM)
}

func (e *Edged) end(s syscall.Signal) error {
	if e.cmd == nil {
		return nil
	}
	_ = syscall.Kill(-e.cmd.Process.Pid, s)
	select {
	case err := <-e.waited:
		e.cmd = nil
		return err
	case <-time.After(patience):
		_ = syscall.Kill(-e.cmd.Process.Pid, syscall.SIGKILL)
		<-e.waited
		e.cmd = nil
		e.t.Errorf("the gateway did not end within %v of signal %v", patience, s)
		return fmt.Errorf("did not end")
	}
}

// Wait waits for the process to end by itself, for patience at least, and returns its exit error.
func (e *Edged) Wait(within time.Duration) error {
	e.t.Helper()
	within = max(within, patience)
	select {
	case err := <-e.waited:
		e.cmd = nil
		return err
	case <-time.After(within):
		e.t.Fatalf("the gateway still runs after %v\n%s", within, e.Log())
		return nil
	}
}

// Ended is closed when the process has ended by itself.
func (e *Edged) Ended() <-chan struct{} {
	ended := make(chan struct{})
	waited := e.waited
	go func() {
		err := <-waited
		waited <- err
		close(ended)
	}()
	return ended
}

// Status asks the gateway how it is.
func (e *Edged) Status() (s daemon.Status) {
	e.t.Helper()
	res, err := http.Get(e.URL("/api/status"))
	if err != nil {
		e.t.Fatalf("status: %v", err)
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(&s); err != nil {
		e.t.Fatal(err)
	}
	return s
}

// Metric returns the value of a metric, 0 if it is not there.
func (e *Edged) Metric(name string) (v float64) {
	e.t.Helper()
	res, err := http.Get(e.URL("/metrics"))
	if err != nil {
		e.t.Fatal(err)
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(res.Body)
	for _, line := range strings.Split(string(text), "\n") {
		if rest, ok := strings.CutPrefix(line, name+" "); ok {
			fmt.Sscan(rest, &v)
		}
	}
	return v
}

// AtRest waits until every stream and every delivery has nothing pending, and fails if the ledger does not balance then.
func (e *Edged) AtRest(within time.Duration) daemon.Status {
	e.t.Helper()
	var s daemon.Status
	UntilSaid(e.t, within, "everything is delivered", func() string {
		s = e.Status()
		return waiting(&s)
	})
	for _, r := range s.Receivers {
		if !r.Balanced || r.Received != r.Stored+r.Rejected {
			e.t.Errorf("receiver %s: the ledger does not balance: %+v", r.Name, r)
		}
	}
	for _, st := range s.Streams {
		if !st.Balanced || st.Routed != st.Filtered+st.Dead+st.Late+st.Applied+st.Damaged+st.Dropped {
			e.t.Errorf("stream %s: the ledger does not balance: %+v", st.Stream, st.Status)
		}
	}
	for _, k := range s.Sinks {
		for _, d := range k.Deliveries {
			if !d.Balanced || d.Produced != d.Delivered+d.Dead+d.Dropped+d.Damaged {
				e.t.Errorf("delivery %s to %s: the ledger does not balance: %+v", d.Stream, d.Sink, d)
			}
		}
	}
	return s
}

// Rows reads NDJSON rows of a file in the data directory; none if it is not there yet. A line that is not whole is an error
// of the sink, unless the program is a control.
func (e *Edged) Rows(name string) (rows []map[string]any) {
	e.t.Helper()
	path := name
	if !filepath.IsAbs(name) {
		path = filepath.Join(e.Dir, name)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	in := bufio.NewReader(f)
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return rows // a line that is being written
		}
		var row map[string]any
		if err := json.Unmarshal(line, &row); err != nil {
			if e.Tag != "" { // a program that was made to break its promise: the row is lost
				continue
			}
			e.t.Fatalf("%s: %v: %q", name, err, line)
		}
		rows = append(rows, row)
	}
}

// patience is how long a test waits at least for what must happen. Where a time is promised, the test measures it.
const patience = await.Patience

// Until waits until cond holds, and fails the test if it does not in time, or within patience if that is longer.
func Until(t testing.TB, within time.Duration, what string, cond func() bool) {
	t.Helper()
	UntilSaid(t, within, what, func() string {
		if cond() {
			return ""
		}
		return "it does not hold"
	})
}

// UntilSaid is Until with a condition that says why it does not hold yet; it holds if it says nothing.
func UntilSaid(t testing.TB, within time.Duration, what string, missing func() string) {
	t.Helper()
	within = max(within, patience)
	for end := time.Now().Add(within); ; time.Sleep(20 * time.Millisecond) {
		why := missing()
		if why == "" {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s: %s", within, what, why)
		}
	}
}

// Run runs a command to its end and returns its output.
func Run(t testing.TB, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", filepath.Base(name), strings.Join(args, " "), err, out)
	}
	return string(out)
}
