//go:build !linux

package child

import (
	"os/exec"
	"syscall"
)

// ofItsOwn puts a program into a process group of its own. A program that reads nothing and writes nothing outlives a kill -9 of
// edged on systems other than Linux.
func ofItsOwn() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// untilExit waits for the end of a program, which is reaped.
func untilExit(cmd *exec.Cmd) (reaped bool, err error) { return true, cmd.Wait() }
