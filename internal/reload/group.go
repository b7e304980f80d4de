// Package reload has parts of a running gateway read their files again: all of them when the gateway is asked to (SIGHUP, edged reload), and
// each when one of its own files has changed. A part that cannot use what it reads keeps what it had.
package reload

import (
	"context"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
)

// A change is acted upon when its directory has been quiet for debounce: editors and certificate clients write, rename and
// remove in several steps. A directory that never becomes quiet is not waited for longer than patience.
const (
	debounce = 200 * time.Millisecond
	patience = 2 * time.Second
)

// Group is a set of parts that can read their files again.
type Group struct {
	log   *slog.Logger
	open  func() (*fsnotify.Watcher, error) // replaced by tests
	parts []*part
	all   chan struct{}

	mu      sync.Mutex
	refused map[string]error // by part: why its files cannot be used
}

type part struct {
	name  string
	files []string
	seen  stamp // of the files when f was last called
	f     func() error
}

// New makes a group without parts.
func New(log *slog.Logger) *Group {
	return &Group{log: log, open: fsnotify.NewWatcher, all: make(chan struct{}, 1)}
}

// Add adds a part before Run is called. f reads the files anew and either uses all of them or returns an error and changes
// nothing; Run's goroutine calls it, never two at a time. The name stands in log lines. The files need not exist. What they
// hold now counts as known: a part that adds itself before it reads them for the first time misses no change.
func (g *Group) Add(name string, files []string, f func() error) {
	g.parts = append(g.parts, &part{name, files, stampOf(files), f})
}

// Empty reports whether no part was added.
func (g *Group) Empty() bool { return len(g.parts) == 0 }

// All asks Run to call every part. It does not block, and can be called before Run and from any goroutine.
func (g *Group) All() {
	select {
	case g.all <- struct{}{}:
	default: // it was asked already and has not come to it
	}
}

// Run watches the files and calls parts until ctx ends. Where files cannot be watched that is logged once, and parts are
// called for All only. The error is always nil.
func (g *Group) Run(ctx context.Context) error {
	w := g.watch()
	defer w.close()
	g.changed() // since Add
	var quiet <-chan time.Time
	var since time.Time
	soon := func() {
		if quiet == nil {
			since = time.Now()
		}
		quiet = time.After(min(debounce, patience-time.Since(since)))
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-g.all:
			for _, p := range g.parts {
				g.call(p, "it was asked for")
			}
			g.log.Info("files that the configuration names were read again, because it was asked for", "read", g.names())
		case e, ok := <-w.events:
			if !ok {
				w.events = nil
			} else if w.concerns(e) {
				soon()
			}
		case _, ok := <-w.errors: // events were lost
			if !ok {
				w.errors = nil
			} else {
				soon()
			}
		case <-quiet:
			quiet = nil
			w.follow()
			g.changed()
		}
	}
}

// changed calls the parts whose files are not what they were.
func (g *Group) changed() {
	for _, p := range g.parts {
		if stampOf(p.files) != p.seen {
			g.call(p, "a file has changed")
		}
	}
}

// Refused is what cannot be used at the moment, by the name of its part, and why; what was read before stays in use.
func (g *Group) Refused() map[string]error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return maps.Clone(g.refused)
}

func (g *Group) note(name string, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.refused, name)
	if err != nil {
		if g.refused == nil {
			g.refused = map[string]error{}
		}
		g.refused[name] = err
	}
}

func (g *Group) call(p *part, why string) {
	p.seen = stampOf(p.files) // before f reads: a change in between is found later
	err := p.f()
	g.note(p.name, err)
	if err != nil {
		g.log.Error("files that were to be read again cannot be used; what was read before stays in use", "of", p.name, "why", why, "error", err)
		return
	}
	g.log.Info("files were read again", "of", p.name, "why", why)
}

func (g *Group) names() (out []string) {
	for _, p := range g.parts {
		out = append(out, p.name)
	}
	return out
}
