package file

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// everything joins all generations in their order, without CSV headers. It fails if a generation is there twice or is not
// compressed though it should be, and if there is a file that does not belong.
func everything(m *memfs, s *sink) (string, error) {
	all, temps, err := s.closet.list()
	if err != nil || len(temps) > 0 {
		return "", fmt.Errorf("left over: %q %w", temps, err)
	}
	var b strings.Builder
	files := len(all)
	for i, g := range all {
		if i > 0 && g.generation <= all[i-1].generation {
			return "", fmt.Errorf("generation %d after %d", g.generation, all[i-1].generation)
		}
		if g.plain == (len(g.packed) == 1) || g.plain == (s.packing != nil) {
			return "", fmt.Errorf("generation %d: plain %v, packed %q", g.generation, g.plain, g.packed)
		}
		name, ending := g.name, ""
		if !g.plain {
			ending = g.packed[0]
		}
		text, err := unpacked(ending, m.contents(name+ending))
		if err != nil {
			return "", fmt.Errorf("generation %d: %w", g.generation, err)
		}
		b.WriteString(withoutHeader(text, s.csv))
	}
	if base := filepath.Base(s.path); m.names[base] != nil {
		files++
		b.WriteString(withoutHeader(m.contents(base), s.csv))
	}
	if files != len(m.names) {
		return "", fmt.Errorf("there are %d files, want %d", len(m.names), files)
	}
	return b.String(), nil
}

func unpacked(ending, text string) (string, error) {
	if ending == "" {
		return text, nil
	}
	r, release, err := unpack(ending, strings.NewReader(text))
	if err != nil {
		return "", err
	}
	defer release()
	b, err := io.ReadAll(r)
	return string(b), err
}

func withoutHeader(text string, csv bool) string {
	if csv {
		_, text, _ = strings.Cut(text, "\n")
	}
	return text
}

// place puts a file on the disk, if it holds anything, without counting operations.
func (m *memfs) place(name, text string) {
	if text == "" {
		return
	}
	f, err := m.Open(filepath.Join(m.dir, name), os.O_CREATE)
	if err == nil {
		f.(*memFile).append([]byte(text))
		err = f.Sync()
	}
	if err == nil {
		err = m.SyncDir(m.dir)
	}
	if err != nil {
		panic(err)
	}
	f.Close()
	m.ops = 0
}
