package receiver

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// maxFollowed bounds the files of one receiver that are open.
const maxFollowed = 256

// matches reports whether a name in the directory is one that is followed.
func (t *tail) matches(name string) bool {
	if !isPattern(t.Path) {
		return name == filepath.Base(t.Path)
	}
	ok, _ := filepath.Match(filepath.Base(t.Path), name) // the pattern was checked
	return ok && !compressed(name)
}

func compressed(name string) bool {
	return slices.Contains([]string{".gz", ".xz", ".zst", ".bz2"}, filepath.Ext(name))
}

type candidate struct {
	path string
	fi   os.FileInfo
}

// candidates are the files to follow that are there, the one that was written to last at the end.
func (t *tail) candidates() (out []candidate, err error) {
	paths := []string{t.Path}
	if isPattern(t.Path) {
		if paths, err = t.list(filepath.Dir(t.Path), t.matches); err != nil {
			return nil, err
		}
	}
	for _, p := range paths {
		fi, err := os.Stat(p)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			t.say(p, err)
		case fi.Mode().IsRegular():
			out = append(out, candidate{p, fi})
		}
	}
	slices.SortStableFunc(out, func(a, b candidate) int { return a.fi.ModTime().Compare(b.fi.ModTime()) })
	return out, nil
}

func (t *tail) list(dir string, matches func(string) bool) (paths []string, err error) {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if matches(e.Name()) {
			paths = append(paths, filepath.Join(dir, e.Name()))
		}
	}
	return paths, err
}

// find looks which files are there, opens new ones, and notes which have gone.
func (t *tail) find() {
	found, err := t.candidates()
	if _, serr := os.Stat(filepath.Dir(t.Path)); serr != nil {
		err = errors.New("the directory is not there, or this user cannot look into it")
	}
	t.say(filepath.Dir(t.Path), err)
	now := time.Now()
	for _, s := range t.followed {
		if !s.away {
			s.away, s.quiet = true, now
		}
	}
	for _, c := range found {
		id := identityOf(c.fi)
		if i := slices.IndexFunc(t.followed, func(s *followed) bool { return s.id == id }); i >= 0 {
			t.followed[i].path, t.followed[i].away = c.path, false
			continue
		}
		err := t.open(c.path)
		if err != nil && t.kept.first && t.Start == "end" {
			t.kept.places = append(t.kept.places, place{Path: c.path, Name: filepath.Base(c.path), Device: id.device, Inode: id.inode, Offset: c.fi.Size(), Sum: sumOf(nil)})
		}
		t.say(c.path, err)
	}
	t.kept.first = t.kept.first && err != nil // what is in a directory that cannot be seen yet has an end, too
	t.findRotated()
	slices.SortStableFunc(t.followed, func(a, b *followed) int { return cmp.Compare(rank(a), rank(b)) })
}

func rank(s *followed) int {
	if s.away {
		return 0
	}
	return 1
}

// open begins to follow a file: where it was read to if it is known, else at its beginning.
func (t *tail) open(path string) error {
	s, size, err := t.openFile(path)
	if err != nil {
		return err
	}
	s.name = filepath.Base(path)
	at := int64(0)
	if t.kept.first && t.Start == "end" {
		at, err = lastLine(s.f, size, int64(t.MaxLine))
	}
	places := t.kept.places
	for i, p := range places {
		v := p.judge(path, s.id, s.f, size)
		if v == another {
			continue
		}
		t.kept.places = slices.Delete(places, i, i+1)
		defer t.putBack(p, len(t.followed))
		s.name, at = p.Name, p.Offset
		if v == cutShort {
			at = 0
			t.log.Info("the file was cut short while it was not followed: it is read from its beginning", "file", path, "has", size, "was_read_to", p.Offset)
		}
		break
	}
	return t.add(s, at, err)
}

func (t *tail) openFile(path string) (s *followed, size int64, err error) {
	if len(t.followed) >= maxFollowed {
		return nil, 0, errors.New("too many files are followed: make the pattern narrower")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	fi, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	return &followed{path: path, id: identityOf(fi), f: f, max: int(t.MaxLine)}, fi.Size(), nil
}

func (t *tail) add(s *followed, at int64, err error) error {
	s.topic = t.topicOf(s.name)
	if err = cmp.Or(err, s.begin(at, t.kept.news)); err != nil {
		s.f.Close()
		return err
	}
	t.followed = append(t.followed, s)
	return nil
}

// putBack has a place known again if its file could not be followed: there are still as many as before.
func (t *tail) putBack(p place, followed int) {
	if len(t.followed) == followed {
		t.kept.places = append(t.kept.places, p)
	}
}

// findRotated looks for files that were not read to their end and are not where they were: by their inodes, in their directory.
func (t *tail) findRotated() {
	for i := 0; i < len(t.kept.places); i++ {
		p := &t.kept.places[i]
		if p.Done {
			continue
		}
		paths, err := t.list(filepath.Dir(p.Path), func(string) bool { return true })
		if err != nil {
			continue // the directory is away, too
		}
		s, err := t.rotated(*p, paths)
		switch {
		case err != nil:
			t.say(p.Path, err)
		case s == nil:
			p.Done = true
			t.log.Warn("a file that was followed has gone, or another has its name: what was written to it after it was read last is lost, if there was something", "file", p.Path, "was_read_to", p.Offset)
		default:
			was, n := *p, len(t.followed)
			t.kept.places = slices.Delete(t.kept.places, i, i+1)
			i--
			t.say(s.path, t.add(s, was.Offset, nil))
			if len(t.followed) == n {
				t.putBack(was, n)
				return // it is tried again with the next look
			}
		}
	}
}

// rotated opens the file of a place under the name that it has now; nil if there is none.
func (t *tail) rotated(p place, paths []string) (*followed, error) {
	for _, path := range paths {
		fi, err := os.Lstat(path)
		if err != nil || !fi.Mode().IsRegular() || identityOf(fi).inode != p.Inode {
			continue
		}
		s, size, err := t.openFile(path)
		if err != nil {
			return nil, err
		}
		if p.judge(p.Path, s.id, s.f, size) == same {
			s.name, s.away = p.Name, true
			return s, nil
		}
		s.f.Close()
	}
	return nil, nil
}

// lastLine is where the last line begins that has no newline yet: the end of the file, as a rule.
func lastLine(f io.ReaderAt, size, max int64) (int64, error) {
	from := size - min(size, max)
	tail := make([]byte, size-from)
	if _, err := f.ReadAt(tail, from); err != nil && err != io.EOF {
		return 0, err
	}
	if i := bytes.LastIndexByte(tail, '\n'); i >= 0 {
		return from + int64(i) + 1, nil
	}
	return from, nil
}
