package reload

import (
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/fsnotify/fsnotify"
)

// Dir tells of changes in one directory, for whoever follows files in it. It tells too often rather than too seldom, and some
// file systems tell nothing: its user looks for itself now and then.
type Dir struct {
	Written <-chan struct{} // gets a value when one of the files was written to
	Moved   <-chan struct{} // gets a value when files were made, renamed or removed, and when events were lost

	w    *fsnotify.Watcher
	lost atomic.Bool
	wg   sync.WaitGroup
}

// WatchDir begins to watch a directory. ours says of a name in it whether its being written to matters; it is called by another
// goroutine.
func WatchDir(dir string, ours func(name string) bool) (*Dir, error) {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, fmt.Errorf("files cannot be watched: %w", err)
	}
	dir = filepath.Clean(dir)
	if err := w.Add(dir); err != nil {
		w.Close()
		return nil, fmt.Errorf("%s cannot be watched: %w", dir, err)
	}
	written, moved := make(chan struct{}, 1), make(chan struct{}, 1)
	d := &Dir{Written: written, Moved: moved, w: w}
	d.wg.Go(func() {
		for {
			select {
			case e, ok := <-w.Events:
				if !ok {
					return
				}
				switch {
				case e.Name == dir: // the directory itself is gone, or has another name
					d.lost.Store(true)
					tell(moved)
				case e.Has(fsnotify.Create) || e.Has(fsnotify.Rename) || e.Has(fsnotify.Remove):
					tell(moved)
				case e.Has(fsnotify.Write) && ours(filepath.Base(e.Name)):
					tell(written)
				}
			case _, ok := <-w.Errors:
				if !ok {
					return
				}
				tell(moved)
			}
		}
	})
	return d, nil
}

func tell(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default: // it was told already, and has not looked
	}
}

// Lost reports whether the directory was removed or renamed: nothing more will be told.
func (d *Dir) Lost() bool { return d.lost.Load() }

// Close ends the watch. It returns when ours is not called any more.
func (d *Dir) Close() {
	d.w.Close()
	d.wg.Wait()
}
