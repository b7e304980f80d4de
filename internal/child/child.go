// Package child runs a program as a child process that ends as a whole: with what it has started, when it is told to, and with
// edged.
//
// # Invariants
//
//  1. After Gone nothing runs of the program's process group (TestNothingIsLeftOfTheGroup). What has left the group is nobody's, and
//     holds nobody (TestWhoLeftTheGroupHoldsNobody).
//  2. On Linux a kill -9 of edged ends the program (TestAKilledParentLeavesNoChild).
//  3. A signal goes to the program's group or to nobody: its number is not free for others as long as it is signalled.
package child

import (
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// Child is one life of a program.
type Child struct {
	In       *os.File // its standard input, to write to
	Out, Err *Stream  // its standard output and error; both must be read until their ends, or closed

	cmd    *exec.Cmd
	linger time.Duration
	late   time.Time     // once exited is closed; without linger
	err    error         // once gone is closed
	exited chan struct{} // closed when the program itself has ended
	gone   chan struct{}

	ending sync.Once
	mu     sync.Mutex
	reaped bool
}

// Start starts a program in a process group of its own, and returns when it runs. Of cmd Path, Args, Dir and Env count. A Close must
// follow.
//
// linger is for what the program leaves behind in its group. With 0 that is killed as soon as the program has ended. Otherwise it
// gets SIGTERM, and what it writes is still read until nothing has come for so long; then it is killed.
func Start(cmd *exec.Cmd, linger time.Duration) (*Child, error) {
	var ends []*os.File // for reading and for writing, in turn
	for range 3 {
		r, w, err := os.Pipe()
		if err != nil {
			shut(ends...)
			return nil, err
		}
		ends = append(ends, r, w)
	}
	c := &Child{In: ends[1], cmd: cmd, linger: linger, exited: make(chan struct{}), gone: make(chan struct{})}
	c.Out, c.Err = newStream(ends[2], c), newStream(ends[4], c)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = ends[0], ends[3], ends[5]
	cmd.SysProcAttr = ofItsOwn()
	started := make(chan error)
	go c.live(started)
	err := <-started
	shut(ends[0], ends[3], ends[5])
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

func shut(files ...*os.File) {
	for _, f := range files {
		f.Close()
	}
}

// live starts the program and stays for its life, on one thread: the kernel takes the end of the thread that started a program for
// the end of its parent (prctl(2), PR_SET_PDEATHSIG).
func (c *Child) live(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := c.cmd.Start()
	started <- err
	if err != nil {
		return
	}
	defer close(c.gone)
	reaped, err := untilExit(c.cmd) // one that is not reaped keeps its number
	c.late = time.Now().Add(leftovers)
	close(c.exited)
	if c.linger > 0 {
		c.Signal(syscall.SIGTERM)
	} else {
		c.Signal(syscall.SIGKILL)
	}
	c.Out.wake()
	c.Err.wake()
	<-c.Out.drained
	<-c.Err.drained
	c.Signal(syscall.SIGKILL)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reaped = true
	if !reaped {
		err = c.cmd.Wait()
	}
	c.err = err
}

// Signal signals the whole group, if the program was not reaped yet.
func (c *Child) Signal(s syscall.Signal) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.reaped {
		_ = syscall.Kill(-c.cmd.Process.Pid, s)
	}
}

// End has the program end: SIGTERM, and after grace SIGKILL, to its group. It does not block; Gone says when it is over. Only the first
// call counts.
func (c *Child) End(grace time.Duration) {
	c.ending.Do(func() {
		c.Signal(syscall.SIGTERM)
		go func() {
			if !c.GoneWithin(grace) {
				c.Signal(syscall.SIGKILL)
			}
		}()
	})
}

// Exited is closed when the program has ended, but perhaps not yet what it has left behind.
func (c *Child) Exited() <-chan struct{} { return c.exited }

// Gone is closed when the program has ended with its group, was reaped, and Out and Err are at their ends. A program that hangs in the
// kernel is never gone, not even by SIGKILL.
func (c *Child) Gone() <-chan struct{} { return c.gone }

// GoneWithin waits for Gone, and reports whether it came in time.
func (c *Child) GoneWithin(d time.Duration) bool { return Within(c.gone, d) }

// Within waits until done is closed, for d at most, and reports whether it was.
func Within(done <-chan struct{}, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-done:
		return true
	case <-t.C:
		return false
	}
}

// Status waits for Gone. It is nil for an exit status of 0, and an *exec.ExitError for another one or a signal.
func (c *Child) Status() error {
	<-c.gone
	return c.err
}

// Fate waits for Gone, and is the status in words, such as "exit status 0" or "signal: killed".
func (c *Child) Fate() string {
	if err := c.Status(); err != nil {
		return err.Error()
	}
	return "exit status 0"
}

// Close closes the standard streams: what reads or writes them then ends. It ends no program.
func (c *Child) Close() {
	c.Out.Close()
	c.Err.Close()
	c.In.Close()
}
