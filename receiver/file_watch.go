package receiver

import (
	"errors"
	"io/fs"

	"edged/internal/reload"
)

// watch is told of changes as long as the directory can be watched. Without that files are looked at every second.
type watch struct{ d *reload.Dir }

func (w *watch) open(dir string, ours func(string) bool) {
	if w.d != nil && !w.d.Lost() {
		return
	}
	w.close()
	if d, err := reload.WatchDir(dir, ours); err == nil {
		w.d = d
	}
}

func (w *watch) written() <-chan struct{} {
	if w.d == nil {
		return nil
	}
	return w.d.Written
}

func (w *watch) moved() <-chan struct{} {
	if w.d == nil {
		return nil
	}
	return w.d.Moved
}

func (w *watch) close() {
	if w.d != nil {
		w.d.Close()
		w.d = nil
	}
}

// say logs why a path cannot be read, once for each reason. Without an error, or if there is nothing, it is forgotten.
func (t *tail) say(path string, err error) {
	why := ""
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		why = err.Error()
	}
	if why != t.said[path] && why != "" {
		t.log.Warn("it cannot be read now, and is tried again", "path", path, "error", why)
	}
	t.said[path] = why
	if why == "" {
		delete(t.said, path)
	}
}
