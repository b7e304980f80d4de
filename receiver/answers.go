package receiver

import (
	"errors"
	"io"
	"strconv"
	"sync"
	"time"

	"edged"
)

// answers tells a peer what became of its lines: one answer a line, in their order. It is the edged.Acker of those that were taken.
//
//	ok        the line is durable, or it was empty and there was nothing to store
//	too long  the line is longer than max_line: it was left out
//
// Lines are numbered from 1, and their number is the token. What waits for a slow peer is numbers, no answers: the memory is bounded by
// what waits for the store.
type answers struct {
	to       io.Writer
	numbered bool   // "ok 17" instead of "ok"
	broke    func() // is called once, when there will be no more answers

	mu    sync.Mutex
	last  uint64 // lines so far
	next  uint64 // the first one that has no answer
	acked uint64 // taken lines up to it are durable
	apart []apart
	over  error         // why there are no more answers
	done  chan struct{} // closed when every line has its answer; nil if nobody waits

	wake  chan struct{}
	quit  chan struct{}
	ended chan struct{}
}

// apart are lines in a row that were not taken.
type apart struct {
	first, last uint64
	long        bool
}

// newAnswers starts the goroutine that writes them; close ends it.
func newAnswers(to io.Writer, numbered bool, broke func()) *answers {
	a := &answers{
		to: to, numbered: numbered, broke: broke, next: 1,
		wake: make(chan struct{}, 1), quit: make(chan struct{}), ended: make(chan struct{}),
	}
	go a.run()
	return a
}

// close ends the goroutine; a write that blocks must end by itself: the caller closes what is written to before. Acked may still
// be called, and does nothing then.
func (a *answers) close() {
	close(a.quit)
	<-a.ended
}

// line numbers a line that is about to be taken.
func (a *answers) line() (token uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.last++
	return a.last
}

// forget takes back the number of the newest line: it was not taken after all, and gets no answer.
func (a *answers) forget() {
	a.mu.Lock()
	a.last--
	a.mu.Unlock()
}

// maxApart bounds the memory that lines take which nobody takes: a peer that sends so many of them, while the store takes nothing, is
// given up.
const maxApart = 1 << 16

var errApart = errors.New("too many lines that are empty or too long wait for their answers, which come in order")

// pass numbers a line that is not taken. The only error is errApart.
func (a *answers) pass(long bool) error {
	defer a.Flush()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.last++
	if n := len(a.apart) - 1; n >= 0 && a.apart[n].long == long && a.apart[n].last+1 == a.last {
		a.apart[n].last = a.last
	} else {
		a.apart = append(a.apart, apart{a.last, a.last, long})
	}
	if len(a.apart) > maxApart {
		return errApart
	}
	return nil
}

// Acked implements edged.Acker.
func (a *answers) Acked(token uint64, _ edged.Pos, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err != nil {
		a.fail(err)
	}
	if a.over == nil {
		a.acked = token
	}
}

// fail ends the answers: what comes after a line that could not be stored has none either. The lock is held.
func (a *answers) fail(err error) {
	if a.over != nil {
		return
	}
	if a.over = err; a.done != nil {
		close(a.done)
		a.done = nil
	}
}

// why is why there are no more answers; nil if there may be.
func (a *answers) why() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.over
}

// Flush implements edged.Acker.
func (a *answers) Flush() {
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

func (a *answers) run() {
	defer close(a.ended)
	var buf []byte
	for {
		select {
		case <-a.wake:
		case <-a.quit:
			return
		}
		var err error
		for buf = a.due(buf[:0]); len(buf) > 0 && err == nil; buf = a.due(buf[:0]) {
			_, err = a.to.Write(buf)
		}
		a.mu.Lock()
		if err != nil {
			a.fail(err)
		}
		over := a.over != nil
		a.mu.Unlock()
		if over {
			a.broke()
			return
		}
	}
}

// due appends the answers that can be given now, about 4 KiB at most.
func (a *answers) due(b []byte) []byte {
	a.mu.Lock()
	defer a.mu.Unlock()
	for ; a.next <= a.last && len(b) < 4<<10; a.next++ {
		what := "ok"
		if len(a.apart) > 0 && a.apart[0].first <= a.next {
			if a.apart[0].long {
				what = "too long"
			}
			if a.apart[0].last == a.next {
				a.apart = a.apart[1:]
			}
		} else if a.next > a.acked {
			break
		}
		b = append(b, what...)
		if a.numbered {
			b = strconv.AppendUint(append(b, ' '), a.next, 10)
		}
		b = append(b, '\n')
	}
	if len(b) == 0 && a.next > a.last && a.done != nil {
		close(a.done)
		a.done = nil
	}
	return b
}

// finish waits until every line has its answer, the answers have ended, or stop is closed; then for at most d more.
func (a *answers) finish(stop <-chan struct{}, d time.Duration) {
	a.mu.Lock()
	if a.over != nil {
		a.mu.Unlock()
		return
	}
	done := make(chan struct{})
	a.done = done
	a.mu.Unlock()
	a.Flush()
	select {
	case <-done:
		return
	case <-stop:
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-done:
	case <-t.C:
	}
}
