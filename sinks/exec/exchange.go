package exec

import (
	"context"
	"fmt"
	"os"
	"time"

	"edged"
)

// exchange gives n lines to the program and passes each answer to take, in order. It returns nil when all are answered. After
// any other end but that of ctx the program is dead; after that it is spoiled.
//
// The timer runs while rows wait, and begins anew with each answer.
func (p *program) exchange(ctx context.Context, lines []byte, n int, silence time.Duration, take func(i int, v verdict, text string)) error {
	select {
	case line, open := <-p.answers:
		if open {
			return p.surplus(line)
		}
		return p.died(n)
	default:
	}
	wrote := p.give(lines)
	defer func() {
		if wrote != nil { // lines is the caller's again when this returns
			_ = p.In.SetWriteDeadline(time.Unix(1, 0))
			<-wrote
		}
	}()
	p.spoiled = true
	timer := time.NewTimer(silence)
	defer timer.Stop()
	shut := false // it takes no more; what it has read, it may still answer
	for got := 0; got < n || wrote != nil; {
		select {
		case err := <-wrote:
			if wrote, shut = nil, err != nil; shut && got == n {
				return p.unreadable()
			}
		case line, open := <-p.answers:
			if !open {
				return p.died(n - got)
			}
			if got == n {
				return p.surplus(line)
			}
			v, text, ok := parse(line)
			if !ok {
				return p.babble(line)
			}
			if got++; got == n && (shut || unread(p.In) > lineBreak) {
				return p.unreadable()
			}
			take(got-1, v, text)
			timer.Reset(silence)
		case <-timer.C:
			p.kill()
			cause := fmt.Sprintf("no answer within %s", short(silence))
			return edged.Explain(fmt.Errorf("%s: %s, with %d rows unanswered%s; it was killed, and they are given to its next life", p.name, cause, n-got, p.said.words()),
				cause, "look at the program, or raise timeout")
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if unread(p.In) > lineBreak { // its answers were faster than the rows
		return p.unreadable()
	}
	p.spoiled = false
	return nil
}

// lineBreak may be left to the next read, by a program that reads values and not lines.
const lineBreak = 1

// give writes the lines, in a goroutine of its own: a pipe whose reader stands still would hold it.
func (p *program) give(lines []byte) <-chan error {
	wrote := make(chan error, 1)
	_ = p.In.SetWriteDeadline(time.Time{})
	go func(in *os.File) {
		_, err := in.Write(lines)
		wrote <- err
	}(p.In)
	return wrote
}

// died is the error of a life that has ended, or has closed its standard output, which is the same for us.
func (p *program) died(rows int) error {
	if p.goneWithin(leftovers) {
		p.leave()
		p.In.Close()
	} else {
		p.end()
	}
	fate := p.Fate()
	return edged.Explain(fmt.Errorf("%s ended (%s) with %d rows unanswered%s; they are given to its next life", p.name, fate, rows, p.said.words()),
		"ended: "+fate, "look at the program; what it says is in the log")
}

// The mistakes of a program that does not keep to the protocol. They are permanent: it would lose rows, or go on for ever.

func (p *program) surplus(line string) error {
	if _, _, ok := parse(line); !ok {
		return p.babble(line)
	}
	return p.wrong("it gave more answers than it was given rows", "it must write one line for each row, and nothing else")
}

func (p *program) unreadable() error {
	return p.wrong("it answered rows that it has not read", "it must write its line for a row after it has read and stored it")
}

func (p *program) babble(line string) error {
	return p.wrong(fmt.Sprintf("it answered %q", printable(line, textSize)), "it must write ok, error TEXT or retry TEXT for each row, and anything else to standard error")
}

func (p *program) wrong(what, remedy string) error {
	p.kill()
	err := fmt.Errorf("%s does not keep to the protocol: %s; %s. It was ended, and its rows wait in the store", p.name, what, remedy)
	return edged.WithClass(edged.Explain(err, what, remedy), edged.Permanent)
}
