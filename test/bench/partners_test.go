package bench

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"edged/test/harness"
	"edged/test/port"
)

// server is a partner that runs.
type server struct {
	addr string
	pid  int
	end  func()
}

// serve starts a program and waits until it takes connections.
func serve(t testing.TB, addr string, pid func(*exec.Cmd) int, name string, args ...string) *server {
	t.Helper()
	mayLaunch()
	cmd := exec.Command(name, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	end := sync.OnceFunc(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
	})
	t.Cleanup(end)
	harness.Until(t, 10*time.Second, filepath.Base(name)+" listens", func() bool {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
	return &server{addr, pid(cmd), end}
}

func own(cmd *exec.Cmd) int { return cmd.Process.Pid }

func loopback(t testing.TB) string { return fmt.Sprintf("127.0.0.1:%d", port.Free(t)) }

// ceiling is the least that a durable server must do: it parses publishes and acknowledges them after an fdatasync that many share (mqttload rawsrv -log).
func ceiling(t testing.TB) *server {
	addr := loopback(t)
	log := filepath.Join(t.TempDir(), "log")
	s := serve(t, addr, own, harness.Binary(t, "edged/test/mqttload"), "rawsrv", "-addr", addr, "-log", log)
	end := s.end
	s.end = func() { end(); removed(log) }
	return s
}

// mosquittoPath is where Mosquitto is, "" if it is not installed.
func mosquittoPath() string {
	for _, name := range []string{"mosquitto", "/usr/sbin/mosquitto"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

const noMosquitto = "Mosquitto is not installed (make test-deps)"

func mosquittoVersion() string {
	out, _ := exec.Command(mosquittoPath(), "-h").Output() // it exits with 3
	line, _, _ := strings.Cut(string(out), "\n")
	return "Mosquitto " + strings.TrimPrefix(line, "mosquitto version ")
}

// mosquitto is Mosquitto with its defaults: it stores nothing. Its counters are renewed every second, not every ten.
func mosquitto(t testing.TB) *server {
	addr := loopback(t)
	dir := t.TempDir()
	_, n, _ := net.SplitHostPort(addr)
	file := filepath.Join(dir, "conf")
	if err := os.WriteFile(file, []byte("listener "+n+" 127.0.0.1\nallow_anonymous true\nuser root\nsys_interval 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return serve(t, addr, own, mosquittoPath(), "-c", file)
}

var mochiBuild struct {
	sync.Once
	path string
	err  error
}

const mochiVersion = "mochi 2.7.9"

// mochi is a bare mochi broker (test/mochi, a module of its own): it stores nothing. The error says why it cannot be had.
func mochi(t testing.TB) (*server, error) {
	t.Helper()
	mochiBuild.Do(func() {
		mochiBuild.path = filepath.Join(os.Getenv("TMPDIR"), "mochi")
		cmd := exec.Command("go", "build", "-o", mochiBuild.path, ".")
		cmd.Dir = filepath.Join(root, "test/mochi")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			mochiBuild.err = fmt.Errorf("mochi cannot be built: %w: %s", err, out)
		}
	})
	if mochiBuild.err != nil {
		return nil, mochiBuild.err
	}
	addr := loopback(t)
	return serve(t, addr, own, mochiBuild.path, "-addr", addr), nil
}

// pressed is a partner's load, from beginning to end: the rate at which it acknowledged, and the processor time that it took.
func pressed(t testing.TB, s *server, args []any) (p published, cpuSeconds float64) {
	t.Helper()
	before := cpu(s.pid)
	p = publish(t, s.addr, s.pid, args...)
	return p, cpu(s.pid) - before
}
