package file

import (
	"fmt"
	"path/filepath"

	"edged"
	"edged/sinks/spec"
)

// bound limits what a sink's files hold together. A max of 0 is no limit.
type bound struct {
	max  int64
	full string // what to do: drop_newest, hold, drop_oldest
}

// What a full dead-letter file does; the values of dead_letters.when_full.
const (
	DropNewest = "drop_newest" // refuse the delivery with an error of class edged.Limit
	Hold       = "hold"        // refuse it with a retryable error until somebody makes room
	DropOldest = "drop_oldest" // give up the older half
)

// NewDeadLetters makes the sink of the dead letters: NDJSON, never more than maxBytes on disk. path is absolute or
// relative to env.DataDir.
//
// A delivery is never split. One that cannot fit even into an empty file is refused with class edged.Limit, whatever
// whenFull says. With DropOldest the file is closed before it passes half of maxBytes and one closed file is kept, so that
// limit is half of maxBytes.
func NewDeadLetters(path string, maxBytes int64, whenFull string, env spec.Env) edged.Sink {
	if !filepath.IsAbs(path) {
		path = filepath.Join(env.DataDir, path)
	}
	o := options{path: path, bound: bound{maxBytes, whenFull}}
	if whenFull == DropOldest {
		o.keep = 1
	}
	return newSink(o, disk{}, env)
}

// most is what one file may hold.
func (b bound) most() int64 {
	if b.full == DropOldest {
		return b.max / 2
	}
	return b.max
}

// admit judges a delivery of n bytes behind length bytes: it fits, or the file must be closed first (full), or it is
// refused.
func (b bound) admit(length, n int64, path string) (full bool, err error) {
	switch {
	case n > b.most():
		return false, edged.WithClass(fmt.Errorf("%d bytes are more than %s may hold (%d)", n, path, b.most()), edged.Limit)
	case length+n <= b.most():
		return false, nil
	case b.full == DropOldest:
		return true, nil
	case b.full == Hold:
		return false, fmt.Errorf("%s is full (max_bytes %d): nothing more is taken until it is emptied or moved away, or max_bytes is raised", path, b.max)
	}
	return false, edged.WithClass(fmt.Errorf("%s is full (max_bytes %d): empty it, move it away, or raise max_bytes", path, b.max), edged.Limit)
}
