package receiver

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"edged"
	"edged/internal/conf"
	"edged/internal/topic"
)

// File is the kind file: the lines that are appended to a file, or to every file that a pattern matches, each as a message with
// QoS 1.
//
// How far each file was read is kept in the store. It moves past a line only when that line and all before it are stored, and it
// is saved at most once a second and at the stop: after a crash the lines of the last second come again, and none is missing.
// Position and block are not in one transaction, though the store could do that: blocks would have to carry the position of
// each of their sources through the generator, and every commit, five a second, would rewrite a page for it, for lines that are
// sent at least once anyway.
type File struct {
	Path    string    `toml:"path" doc:"file to follow, relative to data_dir; its name, not its directory, may be a pattern (meter.log*) for several: of those .gz, .xz, .zst and .bz2 are left out. Rotation is followed: after rename and create the old file is read to its end first; after copytruncate reading begins at the top, and what was not read by then is lost. Only a pattern that matches the rotated names, too, finds files that were rotated twice while edged was down"`
	Topic   string    `toml:"topic" doc:"topic of the messages; {name} is the receiver's name, {file} the file's, with _ for + and #"`
	Start   string    `toml:"start" doc:"where to begin with files that are there when the receiver starts for the very first time: end or beginning. Files that appear later are read from their beginning, others from where they were read to"`
	MaxLine conf.Size `toml:"max_line" doc:"longest line; a longer one is left out, counted and logged. Empty lines are left out, too; a line without its newline is waited for"`

	name string
}

// DefaultFile returns the defaults.
func DefaultFile() *File { return &File{Topic: "file/{name}", Start: "end", MaxLine: 256 << 10} }

// Fields implements Config.
func (f *File) Fields() []any { return []any{f} }

// Check implements Config.
func (f *File) Check(t *conf.Table, env Env) {
	f.name = env.Name
	f.checkPath(t, env)
	t.OneOf("start", f.Start, "end", "beginning")
	if f.MaxLine < 16 || f.MaxLine > 16<<20 {
		t.Errorf("max_line", "max_line: want between 16 bytes and 16MiB; have %v", f.MaxLine)
	}
	if t.Bad("topic") {
		return
	}
	if err := topic.CheckName(f.topicOf("x")); err != nil {
		t.Errorf("topic", "topic: %q: %v", f.Topic, err)
	} else if rest := strings.NewReplacer("{name}", "", "{file}", "").Replace(f.Topic); strings.ContainsAny(rest, "{}") {
		t.Errorf("topic", "topic: %q: what can stand in braces is {name} and {file}", f.Topic)
	}
}

func (f *File) checkPath(t *conf.Table, env Env) {
	if t.Bad("path") {
		return
	}
	if f.Path == "" {
		t.Errorf("path", `[%s] needs path, the file to follow, for example path = "/var/log/meter.log"`, t.Title())
		return
	}
	f.Path = inDir(env.DataDir, f.Path)
	dir := filepath.Dir(f.Path)
	switch _, err := filepath.Match(f.Path, ""); {
	case err != nil:
		t.Errorf("path", "path: %q is no pattern: %v", f.Path, err)
		return
	case isPattern(dir):
		t.Errorf("path", "path: %q: only the name of the file can be a pattern, not its directory; make one receiver for each directory", f.Path)
		return
	}
	if fi, err := os.Stat(dir); err != nil || !fi.IsDir() {
		t.Awaitf("path", "path: there is no directory %s, or this user cannot look there: receiver %s waits for it", dir, env.Name)
	} else if !isPattern(f.Path) {
		if fi, err := os.Stat(f.Path); err == nil && !fi.Mode().IsRegular() {
			t.Errorf("path", "path: %s is no regular file", f.Path)
		} else if err == nil && !readable(f.Path) {
			t.Awaitf("path", "path: %s cannot be read by this user: receiver %s waits until it can be", f.Path, env.Name)
		}
	}
}

func isPattern(path string) bool { return strings.ContainsAny(path, `*?[\`) }

// topicOf is the topic of a file's lines.
func (f *File) topicOf(base string) string {
	return strings.NewReplacer("{name}", f.name, "{file}", safeLevel(base)).Replace(f.Topic)
}

// safeLevel makes a file's name a level of a topic.
func safeLevel(base string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune("+#/\x00\uFFFD", r) {
			return '_'
		}
		return r
	}, base)
}

// Covers implements Config.
func (f *File) Covers() []string {
	levels := strings.Split(strings.ReplaceAll(f.Topic, "{name}", f.name), "/")
	for i, l := range levels {
		if strings.Contains(l, "{file}") {
			levels[i] = "+"
		}
	}
	return []string{strings.Join(levels, "/")}
}

// New implements Config.
func (f *File) New(env Env) edged.Receiver {
	t := &tail{
		File: *f, log: env.Log, notes: env.Notes, said: map[string]string{}, linger: linger, kept: newKept(),
		tooLong: env.Metrics.GetOrCreateCounter(fmt.Sprintf("edged_receiver_lines_too_long_total{receiver=%q}", env.Name)),
	}
	t.name = env.Name
	t.log = t.log.With(slog.String("receiver", env.Name))
	return t
}
