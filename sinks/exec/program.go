package exec

import (
	osexec "os/exec"
	"sync"
	"syscall"
	"time"

	"edged/internal/child"
	"edged/internal/linewise"
)

// What an end may take. The first two are what a program has for leaving by itself.
const (
	graceEOF  = time.Second     // after the end of its input
	graceTerm = 2 * time.Second // after SIGTERM
	graceKill = 5 * time.Second // after SIGKILL; then it hangs in the kernel, and is left behind
	leftovers = time.Second     // for the end, after that of its standard output
)

// program is one life of the program. Its methods are for one goroutine.
type program struct {
	*child.Child
	name    string
	answers chan string   // lines of its standard output; closed at their end
	said    *said         // its standard error
	quit    chan struct{} // closed when nobody takes answers any more
	gone    chan struct{} // closed when it has ended with its group, and all that it wrote was read
	spoiled bool          // it holds rows that were not answered, and perhaps half a line
	over    bool          // end, kill or died was called
}

// start starts a life. It returns when the program runs; the goroutines that serve it end with it.
func start(cmd *osexec.Cmd, name string, said *said) (*program, error) {
	c, err := child.Start(cmd, 0)
	if err != nil {
		return nil, err
	}
	p := &program{Child: c, name: name, said: said, answers: make(chan string, 64), quit: make(chan struct{}), gone: make(chan struct{})}
	var readers sync.WaitGroup
	readers.Go(p.listen)
	readers.Go(func() { said.Read(c.Err) })
	go func() {
		readers.Wait()
		<-c.Gone()
		c.Out.Close()
		c.Err.Close()
		close(p.gone)
	}()
	return p, nil
}

// listen passes on what the program answers.
func (p *program) listen() {
	defer close(p.answers)
	in := linewise.NewReader(p.Out, lineSize)
	for {
		line, _, err := in.Next()
		if err == nil || len(line) > 0 {
			select {
			case p.answers <- string(line):
			case <-p.quit:
			}
		}
		if err != nil {
			return
		}
	}
}

// end ends the life and waits for that. A program that has answered everything reads the end of its input first; one that has
// not is told by SIGTERM, since it might take half a line for a whole one.
func (p *program) end() {
	p.leave()
	defer p.In.Close()
	if !p.spoiled {
		p.In.Close()
		if p.goneWithin(graceEOF) {
			return
		}
	}
	p.End(graceTerm)
	p.goneWithin(graceTerm + graceKill)
}

// kill ends the life at once.
func (p *program) kill() {
	p.leave()
	p.Signal(syscall.SIGKILL)
	p.goneWithin(graceKill)
	p.In.Close()
}

// leave lets the goroutines go that wait for somebody to take an answer.
func (p *program) leave() {
	if !p.over {
		p.over = true
		close(p.quit)
	}
}

func (p *program) goneWithin(d time.Duration) bool { return child.Within(p.gone, d) }
