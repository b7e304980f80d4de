package file

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"

	"github.com/VictoriaMetrics/metrics"
)

// closet looks after the closed files of one sink: it clears away what a kill has left half-done, removes the oldest, and
// compresses the rest. What it does can be interrupted anywhere and is found again by the names alone.
type closet struct {
	fs      fsys
	log     *slog.Logger
	dir     string
	names   naming
	keep    int      // 0 = all
	packing *packing // nil = none
	removed *metrics.Counter

	said map[string]bool // what was logged and is still so
}

// generationFiles is what there is of one closed generation: the plain file, compressed ones, or for a moment both.
type generationFiles struct {
	closedFile
	plain  bool
	packed []string // endings
}

// tidy brings the closed files in order. What fails is logged, once, and tried again the next time.
func (c *closet) tidy(ctx context.Context) {
	said := c.said
	c.said = map[string]bool{}
	complain := func(doing string, name string, err error) {
		if err == nil || ctx.Err() != nil {
			return
		}
		text := doing + name + err.Error()
		if !said[text] {
			c.log.Warn("cannot "+doing+" a closed file; it stays as it is and is tried again at the next rotation",
				"file", filepath.Join(c.dir, name), "error", err)
		}
		c.said[text] = true
	}
	all, temps, err := c.list()
	complain("list the directory of", "", err)
	for _, name := range temps {
		complain("remove what was left of compressing", name, c.fs.Remove(filepath.Join(c.dir, name)))
	}
	if c.keep > 0 && len(all) > c.keep {
		for _, g := range all[:len(all)-c.keep] {
			complain("remove", g.name, c.remove(g))
		}
		all = all[len(all)-c.keep:]
	}
	for _, g := range all {
		if g.plain && ctx.Err() == nil {
			complain("compress", g.name, c.pack(ctx, g))
		}
	}
}

// list returns the closed generations, the oldest first, and the names of temporary files.
func (c *closet) list() (all []*generationFiles, temps []string, err error) {
	names, err := c.fs.List(c.dir)
	if err != nil {
		return nil, nil, err
	}
	byName := map[string]*generationFiles{}
	for _, name := range names {
		if c.names.isTemp(name) {
			temps = append(temps, name)
			continue
		}
		f, packed, ok := c.names.parse(name)
		if !ok {
			continue
		}
		g := byName[f.name]
		if g == nil {
			g = &generationFiles{closedFile: f}
			byName[f.name] = g
			all = append(all, g)
		}
		if packed == "" {
			g.plain = true
		} else {
			g.packed = append(g.packed, packed)
		}
	}
	slices.SortFunc(all, func(a, b *generationFiles) int { return a.compare(b.closedFile) })
	return all, temps, nil
}

// last is the highest generation among the closed files; 0 if there are none.
func (c *closet) last() (uint64, error) {
	all, _, err := c.list()
	if err != nil || len(all) == 0 {
		return 0, err
	}
	return all[len(all)-1].generation, nil
}

// remove gives a generation up for keep_files. A lost unlink is found again, so nothing is synced.
func (c *closet) remove(g *generationFiles) error {
	var errs []error
	if g.plain {
		errs = append(errs, c.fs.Remove(filepath.Join(c.dir, g.name)))
	}
	for _, ending := range g.packed {
		errs = append(errs, c.fs.Remove(filepath.Join(c.dir, g.name+ending)))
	}
	err := errors.Join(errs...)
	if err == nil {
		c.removed.Inc()
		c.log.Info("removed a closed file: keep_files has newer ones", "file", filepath.Join(c.dir, g.name), "keep_files", c.keep)
	}
	return err
}
