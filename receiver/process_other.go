//go:build !linux

package receiver

import (
	"os"
	"syscall"
)

// ofItsOwn puts a program into a process group of its own. A program that reads nothing and writes nothing outlives a kill -9 of
// edged on systems other than Linux.
func ofItsOwn() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// untilExit waits for the end of a program, which is reaped.
func untilExit(p *os.Process) *os.ProcessState {
	state, err := p.Wait()
	if err != nil {
		return &os.ProcessState{}
	}
	return state
}
