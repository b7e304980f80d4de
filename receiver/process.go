package receiver

import (
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// process is a program with everything that it starts, as long as that stays in its process group.
type process struct {
	cmd            *exec.Cmd
	stdout, stderr *stream
	stdin          *os.File
	state          *os.ProcessState // once waited is closed
	exited         chan struct{}
	waited         chan struct{}

	ending sync.Once
	mu     sync.Mutex
	reaped bool
}

// startProcess starts a program in a process group of its own. It is killed by the kernel when edged is (Linux). Both stdout and stderr must be
// read until their ends; close must follow.
func startProcess(path string, command []string, dir string, env []string) (*process, error) {
	var ends []*os.File // for reading and for writing, in turn
	for range 3 {
		r, w, err := os.Pipe()
		if err != nil {
			closeAll(ends...)
			return nil, err
		}
		ends = append(ends, r, w)
	}
	p := &process{exited: make(chan struct{}), waited: make(chan struct{}), stdin: ends[1]}
	p.stdout, p.stderr = newStream(ends[2], p.exited), newStream(ends[4], p.exited)
	p.cmd = &exec.Cmd{Path: path, Args: command, Dir: dir, Env: env, Stdin: ends[0], Stdout: ends[3], Stderr: ends[5], SysProcAttr: ofItsOwn()}
	started := make(chan error)
	go p.run(started)
	err := <-started
	closeAll(ends[0], ends[3], ends[5])
	if err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

func closeAll(files ...*os.File) {
	for _, f := range files {
		f.Close()
	}
}

// run starts the program and waits for it on one thread: the kernel takes the end of the thread that started a program for the end
// of its parent (prctl(2), PR_SET_PDEATHSIG).
func (p *process) run(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := p.cmd.Start()
	started <- err
	if err != nil {
		return
	}
	defer close(p.waited)
	p.state = untilExit(p.cmd.Process) // if it is not reaped yet nobody else can have its number
	close(p.exited)
	p.signal(syscall.SIGTERM) // what it has left behind
	p.stdout.wake()
	p.stderr.wake()
	<-p.stdout.drained
	<-p.stderr.drained
	p.signal(syscall.SIGKILL)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reaped = true
	if p.state == nil {
		_ = p.cmd.Wait()
		p.state = p.cmd.ProcessState
	}
}

// signal signals the whole group.
func (p *process) signal(s syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.reaped {
		_ = syscall.Kill(-p.cmd.Process.Pid, s)
	}
}

// end has the program end: SIGTERM, and after grace SIGKILL. It does not block.
func (p *process) end(grace time.Duration) {
	p.ending.Do(func() {
		p.signal(syscall.SIGTERM)
		go func() {
			t := time.NewTimer(grace)
			defer t.Stop()
			select {
			case <-p.waited:
			case <-t.C:
				p.signal(syscall.SIGKILL)
				<-p.waited
			}
		}()
	})
}

// wait returns what the end of the program was, when it and its group have ended.
func (p *process) wait() *os.ProcessState {
	<-p.waited
	return p.state
}

// close closes its standard streams.
func (p *process) close() {
	p.stdout.close()
	p.stderr.close()
	p.stdin.Close()
}
