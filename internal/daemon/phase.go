package daemon

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// group is a set of parts that run and stop together.
type group struct {
	name   string
	cancel context.CancelFunc
	wg     sync.WaitGroup
	mu     sync.Mutex
	err    error
}

func newGroup(name string) (*group, context.Context) {
	ctx, cancel := context.WithCancel(context.Background())
	return &group{name: name, cancel: cancel}, ctx
}

func (g *group) run(f func() error) {
	g.wg.Add(1)
	go func() {
		defer g.wg.Done()
		if err := f(); err != nil {
			g.mu.Lock()
			g.err = errors.Join(g.err, err)
			g.mu.Unlock()
		}
	}()
}

// stop cancels the group and waits for it, no longer than until ctx ends.
func (g *group) stop(ctx context.Context) error {
	g.cancel()
	return g.wait(ctx)
}

func (g *group) wait(ctx context.Context) error {
	done := make(chan struct{})
	go func() { g.wg.Wait(); close(done) }()
	select {
	case <-done:
		g.mu.Lock()
		defer g.mu.Unlock()
		return g.err
	case <-ctx.Done():
		return fmt.Errorf("%s %w", g.name, errLate)
	}
}

var errLate = errors.New("did not stop in time")

// phase is what stops side by side, before the next phase does: the receivers, the streams, the sinks. Each part of it can also be
// started and stopped alone, by its name. Its methods are for one goroutine at a time.
type phase struct {
	name  string
	parts map[string]*group
}

func newPhase(name string) *phase { return &phase{name, map[string]*group{}} }

// start runs a part, of which there is none with its name.
func (p *phase) start(name string, f func(ctx context.Context) error) {
	g, ctx := newGroup(name)
	p.parts[name] = g
	g.run(func() error { return f(ctx) })
}

// stop ends parts, all at once, and waits until they have ended or ctx ends: the error is an errLate then. What they end with is
// given to said, by name: the next that takes over their work goes on from what is stored.
func (p *phase) stop(ctx context.Context, names []string, said func(name string, err error)) error {
	for _, n := range names {
		if g := p.parts[n]; g != nil {
			g.cancel()
		}
	}
	for _, n := range names {
		g := p.parts[n]
		if g == nil {
			continue
		}
		err := g.wait(ctx)
		if errors.Is(err, errLate) {
			return err
		}
		delete(p.parts, n)
		if err != nil {
			said(n, err)
		}
	}
	return nil
}

// end stops everything.
func (p *phase) end(ctx context.Context) (err error) {
	for _, g := range p.parts {
		g.cancel()
	}
	for _, g := range p.parts {
		werr := g.wait(ctx)
		if errors.Is(werr, errLate) {
			return errors.Join(err, fmt.Errorf("%s: %w", p.name, werr))
		}
		err = errors.Join(err, werr)
	}
	return err
}
