//go:build linux

package machine

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// try is something that a process can do or not.
type try struct {
	what    string
	allowed bool // in the sandbox
	do      func() error
}

func create(path string) func() error {
	return func() error {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		defer os.Remove(path)
		return f.Close()
	}
}

func socket(family, kind, protocol int) func() error {
	return func() error {
		fd, err := unix.Socket(family, kind, protocol)
		if err == nil {
			unix.Close(fd)
		}
		return err
	}
}

func exists(path string) func() error {
	return func() error { _, err := os.Stat(path); return err }
}

var tries = []try{
	{"write to its data directory", true, create(installed + "/try")},
	{"write to its runtime directory", true, create("/run/edged/try")},
	{"read whether the clock is synchronised", true, func() error { _, err := unix.Adjtimex(&unix.Timex{}); return err }},
	{"open a TCP socket", true, socket(unix.AF_INET, unix.SOCK_STREAM, 0)},
	{"read a secret that it was given", true, func() error { _, err := os.ReadFile(os.Getenv("CREDENTIALS_DIRECTORY") + "/secrets_token"); return err }},
	{"write to /etc", false, create("/etc/edged/try")},
	{"write to /usr", false, create("/usr/try")},
	{"write to /var", false, create("/var/try")},
	{"read the secrets where they are", false, func() error { _, err := os.ReadFile("/etc/edged/secrets/token"); return err }},
	{"look into /root", false, func() error { _, err := os.ReadDir("/root"); return err }},
	{"see what others have in /tmp", false, exists("/tmp/others")},
	{"see another's process", false, exists("/proc/1/stat")},
	{"open a disk", false, func() error { f, err := os.Open("/dev/ubda"); _ = f.Close(); return err }},
	{"set a kernel variable", false, create("/proc/sys/kernel/printk")},
	{"set the clock", false, func() error {
		ts := unix.NsecToTimespec(time.Now().UnixNano())
		return unix.ClockSettime(unix.CLOCK_REALTIME, &ts)
	}},
	{"become root", false, func() error { return unix.Setresuid(0, 0, 0) }},
	{"mount", false, func() error { return unix.Mount("none", "/srv", "tmpfs", unix.MS_RDONLY, "") }},
	{"make a namespace", false, func() error { return unix.Unshare(unix.CLONE_NEWUTS) }},
	{"open a raw socket", false, socket(unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_ICMP)},
	{"open a packet socket", false, socket(unix.AF_PACKET, unix.SOCK_RAW, 0)},
	{"map memory to write and execute", false, func() error {
		_, err := unix.Mmap(-1, 0, 4096, unix.PROT_READ|unix.PROT_WRITE|unix.PROT_EXEC, unix.MAP_PRIVATE|unix.MAP_ANON)
		return err
	}},
}

const probe = `[Service]
Environment=EDGED_PROBE=%s
ExecStartPre=/mnt/machine.test -test.run=^TestWhatIsAllowed$
`

// probed restarts the service with this program before it, in the unit's own sandbox, and judges what it could do. Without the sandbox, as root, all can be done.
func probed(t *testing.T) string {
	answers, root := installed+"/answers", filepath.Join(t.TempDir(), "answers")
	for path, text := range map[string]string{"/etc/edged/secrets/token": "x", "/tmp/others": "", "/etc/systemd/system/edged.service.d/probe.conf": fmt.Sprintf(probe, answers)} {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, path, text)
	}
	before := show(t, "MainPID")
	systemctl(t, "daemon-reload")
	systemctl(t, "restart", "edged")
	up(t, before, 20*time.Second)
	outside := exec.Command("/mnt/machine.test", "-test.run=^TestWhatIsAllowed$")
	outside.Env = append(os.Environ(), "EDGED_PROBE="+root, "CREDENTIALS_DIRECTORY=/run/credentials/edged.service")
	if out, err := outside.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	in, out := strings.Split(read(t, answers), "\n"), strings.Split(read(t, root), "\n")
	for i, x := range tries {
		if allowed := in[i] == "done"; allowed != x.allowed {
			t.Errorf("%s, in the sandbox: %s", x.what, in[i])
		}
		if out[i] != "done" {
			t.Errorf("%s, without the sandbox: %s: the check cannot fail", x.what, out[i])
		}
	}
	owned(t, answers)
	owned(t, installed)
	return fmt.Sprintf("%d things tried, all that it does not need are refused", len(tries))
}

// TestWhatIsAllowed is run in the sandbox and leaves its answers, a line each.
func TestWhatIsAllowed(t *testing.T) {
	to := os.Getenv("EDGED_PROBE")
	if to == "" {
		t.Skip("it is for a sandbox")
	}
	var lines []string
	for _, x := range tries {
		if err := x.do(); err != nil {
			lines = append(lines, strings.ReplaceAll(err.Error(), "\n", " "))
		} else {
			lines = append(lines, "done")
		}
	}
	write(t, to, strings.Join(lines, "\n"))
}

// owned checks that a file is the service's user's, and nobody else may read it.
func owned(t *testing.T, path string) {
	t.Helper()
	u, err := user.Lookup("edged")
	fi, serr := os.Stat(path)
	if err = errors.Join(err, serr); err != nil {
		t.Fatal(err)
	}
	if st := fi.Sys().(*syscall.Stat_t); strconv.Itoa(int(st.Uid)) != u.Uid || fi.Mode()&0o007 != 0 {
		t.Errorf("%s belongs to %d, mode %v; want user edged (%s) alone", path, st.Uid, fi.Mode(), u.Uid)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
