package child

import (
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// ofItsOwn puts a program into a process group of its own, and has the kernel kill it when edged ends, also by kill -9. What the
// program itself has started then loses its parent, and notices at the latest when it writes.
func ofItsOwn() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// untilExit waits for the end of a program without reaping it.
func untilExit(cmd *exec.Cmd) (reaped bool, err error) {
	for unix.Waitid(unix.P_PID, cmd.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil) == unix.EINTR {
	}
	return false, nil
}
