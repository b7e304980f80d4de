package daemon

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"edged/internal/human"
)

// unapplied says that the configuration file is not what runs, and why, if it is so.
func (d *Daemon) unapplied(now time.Time) string {
	if d.o.Read == nil {
		return ""
	}
	p := d.now()
	file, text, err := d.o.Read()
	switch {
	case errors.Is(err, ErrNoFile): // it was read from a pipe, say
		return ""
	case err != nil:
		return fmt.Sprintf("%v: what was read at %s goes on, and the next start will fail", err, human.Time(p.loaded, now))
	}
	sum := sha256.Sum256(text)
	if sum == p.sum {
		return ""
	}
	if f := d.failed.Load(); f != nil && f.sum == sum {
		more := ""
		if n := len(f.problems); n > 1 {
			more = fmt.Sprintf(" (and %d more)", n-1)
		}
		return fmt.Sprintf("the configuration was refused at %s, and what ran before goes on: %s%s; correct it, then: edged reload", human.Time(f.at, now), f.problems[0], more)
	}
	at := ""
	if fi, err := os.Stat(file); err == nil {
		at = " at " + human.Time(fi.ModTime(), now)
	}
	return fmt.Sprintf("%s was changed%s, and does not run yet: edged check, then edged reload", file, at)
}

// ErrNoFile is the error of reading a configuration that cannot be read a second time.
var ErrNoFile = errors.New("it is no regular file, and is read at the start only")

// ReadFile is an Options.Read of a file.
func ReadFile(file string) func() (string, []byte, error) {
	return func() (string, []byte, error) {
		fi, err := os.Stat(file)
		if err == nil && !fi.Mode().IsRegular() { // a pipe would wait for somebody to write
			err = &fs.PathError{Op: "read", Path: file, Err: ErrNoFile}
		}
		var text []byte
		if err == nil {
			text, err = os.ReadFile(file)
		}
		if err != nil {
			return file, nil, fmt.Errorf("the configuration cannot be read again: %w", err)
		}
		return file, slices.Clip(text), nil
	}
}
