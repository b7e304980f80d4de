package reload

import (
	"errors"
	"io/fs"
	"log/slog"
	"slices"

	"github.com/fsnotify/fsnotify"
)

// watcher watches the directories in which the files are looked up, since a watch on a file itself ends when the file is
// replaced. A nil one watches nothing. It belongs to one goroutine.
type watcher struct {
	w      *fsnotify.Watcher
	log    *slog.Logger
	said   bool // that a directory cannot be watched
	files  []string
	names  []string // paths whose writing concerns us: the files, and what they link to
	events <-chan fsnotify.Event
	errors <-chan error
}

// watch begins to watch the files of all parts.
func (g *Group) watch() *watcher {
	w := &watcher{log: g.log}
	for _, p := range g.parts {
		w.files = append(w.files, p.files...)
	}
	if len(w.files) == 0 {
		return w
	}
	n, err := g.open()
	if err != nil {
		w.say(err, "")
		return w
	}
	w.w, w.events, w.errors = n, n.Events, n.Errors
	w.follow()
	return w
}

func (w *watcher) close() {
	if w.w != nil {
		w.w.Close()
	}
}

func (w *watcher) say(err error, dir string) {
	if !w.said {
		w.said = true
		w.log.Warn("files cannot be watched: after a change of them edged needs a SIGHUP (systemctl reload edged)", "directory", dir, "error", err)
	}
}

// concerns reports whether an event may have changed one of the files. Data may be written next to them a hundred times a
// second; that is not looked at.
func (w *watcher) concerns(e fsnotify.Event) bool {
	return e.Op&^fsnotify.Write != 0 || slices.Contains(w.names, e.Name)
}

// follow watches the directories where the files are now, and no others: links and directories may have been replaced. A
// directory that was made while it looked has it look again.
func (w *watcher) follow() {
	for range 8 {
		var dirs []string
		w.names = nil
		for _, f := range w.files {
			d, n := lookups(f)
			dirs, w.names = append(dirs, d...), append(w.names, n...)
		}
		before := w.w.WatchList()
		for _, d := range before {
			if !slices.Contains(dirs, d) {
				_ = w.w.Remove(d) // it may be gone already
			}
		}
		fresh := false
		for _, d := range dirs {
			if slices.Contains(before, d) || slices.Contains(w.w.WatchList(), d) {
				continue
			}
			switch err := w.w.Add(d); {
			case err == nil || errors.Is(err, fs.ErrNotExist):
				fresh = true
			default:
				w.say(err, d)
			}
		}
		if !fresh {
			return
		}
	}
}
