//go:build linux

package machine

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// shared is where the machine sees the test's directory of the host.
const shared = "/mnt"

// boot is the machine's first process: it mounts what a test needs, runs this program again with the arguments that the kernel was given for it, leaves
// its exit code in the shared directory, and switches the machine off. The root is the host's, read only.
func boot() {
	code := 1
	if err := mounts(); err != nil {
		fmt.Println("the machine does not start:", err)
	} else {
		cmd := exec.Command(shared+"/machine.test", os.Args[1:]...)
		cmd.Stdout, cmd.Stderr, cmd.Dir = os.Stdout, os.Stderr, "/tmp"
		cmd.Env = environment()
		err := cmd.Run()
		code = cmd.ProcessState.ExitCode()
		if err != nil {
			fmt.Println("in the machine:", err)
		}
	}
	_ = os.WriteFile(shared+"/exit", []byte(strconv.Itoa(code)), 0o644)
	unix.Sync()
	_ = unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
}

func mounts() error {
	for _, m := range []struct{ kind, at, data string }{
		{"proc", "/proc", ""}, {"sysfs", "/sys", ""}, {"hostfs", shared, os.Getenv("EDGED_MACHINE")}, {"tmpfs", "/tmp", ""}, {"tmpfs", "/run", ""},
		{"tmpfs", "/dev/shm", ""},
	} {
		if m.at == "/dev/shm" {
			if err := os.MkdirAll(m.at, 0o777); err != nil {
				return err
			}
		}
		if err := unix.Mount("none", m.at, m.kind, 0, m.data); err != nil {
			return fmt.Errorf("mount %s: %w", m.at, err)
		}
	}
	return loopback()
}

// loopback brings 127.0.0.1 up.
func loopback() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	lo.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo)
}

// environment is the test's, in the machine: what the host left in the shared directory.
func environment() []string {
	text, _ := os.ReadFile(shared + "/environment")
	return strings.Split(strings.TrimSpace(string(text)), "\n")
}
