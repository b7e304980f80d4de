//go:build linux

package machine

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"edged/test/need"
)

// Machine is what a test asks for. The first line of a test is
//
//	if !(Machine{…}).Inside(t) { return }
//
// and what follows runs in the machine.
type Machine struct {
	Tags   []string      // programs that were built to break the promise, see harness.Variant
	Disks  []int64       // sizes of empty disks in bytes: /dev/ubda, /dev/ubdb…
	Config string        // for a machine with Debian and systemd, where edged is installed with this configuration and started
	Within time.Duration // it is switched off after so long; 3 min if it is 0
}

// Inside returns true in the machine. On the host it starts one, waits until the test has run in it, fails if it failed there, and returns false.
func (m Machine) Inside(t *testing.T) bool {
	t.Helper()
	if os.Getenv("EDGED_MACHINE") != "" {
		return true
	}
	uml := need.Tool(t, "linux.uml")
	t.Parallel() // a machine has one processor, and mostly waits
	dir := t.TempDir()
	programs(t, dir, m.Tags)
	env := []string{"EDGED_MACHINE=" + dir, "EDGED_BINARIES=" + shared, "EDGED_VERDICTS=" + shared + "/verdicts", "EDGED_SKIPPED=" + shared + "/skipped",
		"EDGED_TEST=" + os.Getenv("EDGED_TEST"), "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/tmp", "TMPDIR=/tmp"}
	write(t, filepath.Join(dir, "environment"), strings.Join(env, "\n"))
	arguments := []string{"-test.run=^" + t.Name() + "$", "-test.v", "-test.timeout=15m"}
	args := []string{"mem=1G", "quiet", "con=null", "con0=null,fd:1", "ssl=null", "EDGED_MACHINE=" + dir}
	disks := []string{}
	if m.Config != "" {
		disks = append(disks, filepath.Join(dir, "changes")+","+debian(t))
		install(t, filepath.Join(dir, "root"), m.Config)
		write(t, filepath.Join(dir, "start"), start)
		write(t, filepath.Join(dir, "arguments"), strings.Join(arguments, " "))
		args = append(args, "root=/dev/ubda", "rw", "init=/first")
	} else {
		args = append(args, "root=/dev/root", "rootfstype=hostfs", "rootflags=/", "ro", "init="+filepath.Join(dir, "machine.test"))
	}
	for i, size := range m.Disks {
		disk := filepath.Join(dir, fmt.Sprintf("disk%d", i))
		write(t, disk, "")
		if err := os.Truncate(disk, size); err != nil {
			t.Fatal(err)
		}
		disks = append(disks, disk)
	}
	for i, disk := range disks {
		args = append(args, fmt.Sprintf("ubd%d=%s", i, disk))
	}
	if m.Config == "" {
		args = append(append(args, "--"), arguments...)
	}
	m.run(t, dir, uml, args)
	for file, to := range map[string]string{"verdicts": os.Getenv("EDGED_VERDICTS"), "skipped": os.Getenv("EDGED_SKIPPED")} {
		pass(t, filepath.Join(dir, file), to)
	}
	if code, err := os.ReadFile(filepath.Join(dir, "exit")); err != nil || string(code) != "0" {
		t.Errorf("failed in the machine: exit code %q", code)
	}
	return false
}

// run runs the machine until it is off. What it prints is logged.
func (m Machine) run(t *testing.T, dir, program string, args []string) {
	t.Helper()
	if m.Within == 0 {
		m.Within = 3 * time.Minute
	}
	ctx, cancel := context.WithTimeout(context.Background(), m.Within)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // it has many processes
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	unfit := false
	for in := bufio.NewScanner(out); in.Scan(); {
		line := strings.TrimSpace(in.Text())
		unfit = unfit || strings.Contains(line, "ptrace set fp regs failed")
		if !strings.HasPrefix(line, "SELinux:") {
			t.Log(line)
		}
		if line == asleep {
			time.AfterFunc(nap, func() { _ = syscall.Kill(cmd.Process.Pid, syscall.SIGUSR1) }) // what wakes a user-mode Linux
		}
	}
	_ = cmd.Wait()
	if unfit { // it knows the size of the registers beforehand, and processors with AMX have more
		need.Impossible(t, "this processor has more registers than user-mode Linux can set")
	}
	if ctx.Err() != nil {
		t.Errorf("the machine was still on after %v", m.Within)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// pass appends a report from the machine to that of the host.
func pass(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err != nil || to == "" {
		return
	}
	f, err := os.OpenFile(to, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write(text); err != nil {
		t.Fatal(err)
	}
}
