//go:build !linux

package exec

import (
	"os"
	osexec "os/exec"
	"syscall"
)

// attributes give the program a process group of its own.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// reap waits for the end of the program and kills what is left of its group.
func (p *program) reap(cmd *osexec.Cmd) error {
	err := cmd.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reaped = true
	_ = syscall.Kill(-p.pid, syscall.SIGKILL)
	return err
}

// unread is how many bytes in a pipe nobody has read yet, as far as is known.
func unread(*os.File) int { return 0 }
