package exec

import (
	"errors"
	"io"
	"os"
	osexec "os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// What an end may take. The first two are what a program has for leaving by itself.
const (
	graceEOF  = time.Second     // after the end of its input
	graceTerm = 2 * time.Second // after SIGTERM
	graceKill = 5 * time.Second // after SIGKILL; then it hangs in the kernel, and is left behind
	leftovers = time.Second     // for what it wrote, after its end, if a process that left the group holds the pipes
)

// program is one life of the program. Its methods are for one goroutine.
type program struct {
	name    string
	in      *os.File
	answers chan string   // lines of its standard output; closed at their end
	said    *said         // its standard error
	quit    chan struct{} // closed when nobody takes answers any more
	gone    chan struct{} // closed when it has ended with its group, and all that it wrote was read
	status  error         // of the wait; after gone
	spoiled bool          // it holds rows that were not answered, and perhaps half a line
	over    bool          // end, kill or died was called

	mu     sync.Mutex
	pid    int
	reaped bool
}

// start starts a life. It returns when the program runs; the goroutines that serve it end with it.
func start(cmd *osexec.Cmd, name string, said *said) (*program, error) {
	var files [6]*os.File // ends of the pipes: in, out, err; each to read, to write
	for i := 0; i < len(files); i += 2 {
		var err error
		if files[i], files[i+1], err = os.Pipe(); err != nil {
			shut(files[:i])
			return nil, err
		}
	}
	in, out, stderr := files[1], files[2], files[4]
	cmd.Stdin, cmd.Stdout, cmd.Stderr = files[0], files[3], files[5]
	cmd.SysProcAttr = attributes()
	p := &program{name: name, in: in, said: said, answers: make(chan string, 64), quit: make(chan struct{}), gone: make(chan struct{})}
	started := make(chan error)
	go p.live(cmd, started, out, stderr)
	err := <-started
	shut([]*os.File{files[0], files[3], files[5]})
	if err != nil {
		shut([]*os.File{in, out, stderr})
		return nil, err
	}
	return p, nil
}

func shut(files []*os.File) {
	for _, f := range files {
		f.Close()
	}
}

// live starts the program and stays for its life, on one thread: on Linux the kernel ends it with the thread that started it.
func (p *program) live(cmd *osexec.Cmd, started chan<- error, out, stderr *os.File) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := cmd.Start()
	if err == nil {
		p.pid = cmd.Process.Pid
	}
	started <- err
	if err != nil {
		return
	}
	var readers sync.WaitGroup
	readers.Go(func() { p.listen(out) })
	readers.Go(func() { eachLine(stderr, p.said.line) })
	status := p.reap(cmd)
	late := time.Now().Add(leftovers)
	for _, f := range []*os.File{out, stderr} {
		_ = f.SetReadDeadline(late)
	}
	readers.Wait()
	shut([]*os.File{out, stderr})
	p.status = status
	close(p.gone)
}

// listen passes on what the program answers.
func (p *program) listen(out io.Reader) {
	defer close(p.answers)
	eachLine(out, func(line []byte) {
		select {
		case p.answers <- string(line):
		case <-p.quit:
		}
	})
}

// end ends the life and waits for that. A program that has answered everything reads the end of its input first; one that has
// not is told by SIGTERM, since it might take half a line for a whole one.
func (p *program) end() {
	p.leave()
	defer p.in.Close()
	if !p.spoiled {
		p.in.Close()
		if p.goneWithin(graceEOF) {
			return
		}
	}
	p.signal(syscall.SIGTERM)
	if !p.goneWithin(graceTerm) {
		p.signal(syscall.SIGKILL)
		p.goneWithin(graceKill)
	}
}

// kill ends the life at once.
func (p *program) kill() {
	p.leave()
	p.signal(syscall.SIGKILL)
	p.goneWithin(graceKill)
	p.in.Close()
}

// leave lets the goroutines go that wait for somebody to take an answer.
func (p *program) leave() {
	if !p.over {
		p.over = true
		close(p.quit)
	}
}

func (p *program) signal(s syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.reaped {
		_ = syscall.Kill(-p.pid, s)
	}
}

func (p *program) goneWithin(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-p.gone:
		return true
	case <-t.C:
		return false
	}
}

// fate is how the life ended, after gone.
func (p *program) fate() string {
	if exit := (*osexec.ExitError)(nil); errors.As(p.status, &exit) {
		return exit.ProcessState.String()
	}
	if p.status != nil {
		return p.status.Error()
	}
	return "exit status 0"
}
