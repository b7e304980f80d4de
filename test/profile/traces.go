package main

import (
	"fmt"
	"strings"
	"time"
)

// frame is a function with what it called.
type frame struct {
	name  string
	total time.Duration // with what it called
	calls []*frame      // in the order in which they were seen
}

func (f *frame) call(name string) *frame {
	for _, c := range f.calls {
		if c.name == name {
			return c
		}
	}
	c := &frame{name: name}
	f.calls = append(f.calls, c)
	return c
}

// add puts a stack, innermost first, under f.
func (f *frame) add(stack []string, d time.Duration) {
	f.total += d
	for i := len(stack) - 1; i >= 0; i-- {
		f = f.call(stack[i])
		f.total += d
	}
}

// parse reads what go tool pprof -traces prints: between lines of dashes a stack each, innermost first, of which the first line begins with the time spent.
func parse(text string) (*frame, error) {
	root := &frame{name: "all"}
	var stack []string
	var spent time.Duration
	end := func() {
		if spent > 0 {
			root.add(stack, spent)
		}
		stack, spent = nil, 0
	}
	body := false
	for _, line := range strings.Split(text, "\n") {
		if strings.HasPrefix(line, "---") {
			end()
			body = true
			continue
		}
		f := strings.Fields(line)
		if !body || len(f) == 0 || strings.HasSuffix(f[0], ":") { // a label of the sample
			continue
		}
		if len(stack) == 0 {
			d, err := time.ParseDuration(f[0])
			if err != nil || len(f) < 2 {
				return nil, fmt.Errorf("%q is no beginning of a stack", line)
			}
			spent, f = d, f[1:]
		}
		stack = append(stack, strings.TrimSuffix(strings.Join(f, " "), " (inline)"))
	}
	end()
	if root.total == 0 {
		return nil, fmt.Errorf("there is no sample in the profile")
	}
	return root, nil
}
