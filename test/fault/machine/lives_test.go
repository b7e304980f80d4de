//go:build linux

package machine

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"edged/test/harness"
)

// killed: SIGKILL, and systemd starts it again.
func killed(t *testing.T) string {
	before := restarts(t)
	for i := range 3 {
		pid := kill(t, syscall.SIGKILL)
		up(t, pid, 20*time.Second)
		if got := restarts(t) - before; got != i+1 {
			t.Errorf("systemd counts %d restarts, want %d", got, i+1)
		}
	}
	return "restarted 3 times"
}

// stopped: systemctl stop, which sends SIGTERM.
func stopped(t *testing.T) string {
	pid, began := show(t, "MainPID"), time.Now()
	systemctl(t, "stop", "edged")
	took := time.Since(began)
	if took > 5*time.Second || show(t, "Result") != "success" {
		t.Errorf("stopped after %v with %s", took, show(t, "Result"))
	}
	systemctl(t, "start", "edged")
	up(t, pid, 20*time.Second)
	return fmt.Sprintf("stopped after %v", took.Round(10*time.Millisecond))
}

// mistaken: the configuration is wrong at the next start. The unit has failed then, for good, and the journal has the reason.
func mistaken(t *testing.T) string {
	const file = "/etc/edged/edged.toml"
	right, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	write(t, file, strings.Replace(string(right), "[sink.archive]", "[sinc.archive]", 1))
	before := show(t, "MainPID")
	_ = exec.Command("systemctl", "restart", "edged").Run() // fails, or returns before it has
	harness.Until(t, 10*time.Second, "the unit has failed", func() bool { return show(t, "ActiveState") == "failed" })
	time.Sleep(5 * time.Second) // longer than RestartSec: nothing happens
	if got := show(t, "ActiveState") + " " + show(t, "ExecMainStatus"); got != "failed 78" {
		t.Errorf("the unit is %s, want failed 78", got)
	}
	if !strings.Contains(journal(t), `did you mean "sink"?`) {
		t.Errorf("the journal does not say why:\n%s", journal(t))
	}
	write(t, file, string(right))
	systemctl(t, "start", "edged")
	up(t, before, 20*time.Second)
	return "failed with status 78 and the line of the mistake in the journal, and stayed so until it was mended"
}

// halted: SIGSTOP. Nobody feeds the watchdog; after a minute it wants a core dump, which a stopped process does not give, then it kills.
func halted(t *testing.T) string {
	began, before := time.Now(), restarts(t)
	up(t, kill(t, syscall.SIGSTOP), 2*time.Minute)
	if !strings.Contains(journal(t), "Watchdog timeout") || restarts(t) != before+1 {
		t.Errorf("restarts %d, before %d, and the journal says\n%s", restarts(t), before, journal(t))
	}
	return fmt.Sprintf("restarted by the watchdog after %v", time.Since(began).Round(time.Second))
}

// kill sends a signal to the gateway's process, and returns its id.
func kill(t *testing.T, s syscall.Signal) string {
	t.Helper()
	pid := show(t, "MainPID")
	n, err := strconv.Atoi(pid)
	if err != nil || n == 0 {
		t.Fatalf("the service has no process: %s", pid)
	}
	if err := syscall.Kill(n, s); err != nil {
		t.Fatal(err)
	}
	return pid
}

// up waits until the service is active in another process than before.
func up(t *testing.T, before string, within time.Duration) {
	t.Helper()
	harness.Until(t, within, "the service is active again", func() bool {
		pid := show(t, "MainPID")
		return pid != "0" && pid != before && show(t, "ActiveState") == "active"
	})
}

func restarts(t *testing.T) int {
	n, _ := strconv.Atoi(show(t, "NRestarts"))
	return n
}

// show is a property of the service.
func show(t *testing.T, property string) string {
	t.Helper()
	return strings.TrimSpace(systemctl(t, "show", "--value", "-p", property, "edged"))
}

func systemctl(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("systemctl", args...).CombinedOutput()
	if err != nil {
		t.Errorf("systemctl %s: %v: %s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// journal is what systemd and the service have said.
func journal(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("journalctl", "--no-pager", "-o", "cat", "-u", "edged").CombinedOutput()
	if err != nil {
		t.Errorf("journalctl: %v", err)
	}
	return string(out)
}
