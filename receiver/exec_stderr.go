package receiver

import (
	"io"
	"log/slog"
	"strings"
)

const (
	tailLines = 5
	tailBytes = 500 // of a line of standard error
)

// stderr logs a program's standard error, and keeps the last lines of it.
type stderr struct {
	r    *execs
	kept []string
}

// read reads until the end. Long lines are clipped, and lines that come too fast are only counted: the program does not fill the disk.
func (t *stderr) read(from io.Reader) {
	in := newLineReader(from, tailBytes)
	for {
		line, over, err := in.next()
		if err != nil {
			return
		}
		text := strings.ToValidUTF8(string(line), "\uFFFD")
		if over {
			text += "…"
		}
		if strings.TrimSpace(text) == "" {
			continue
		}
		if t.kept = append(t.kept, text); len(t.kept) > tailLines {
			t.kept = t.kept[1:]
		}
		t.r.say.say(slog.LevelInfo, "standard error of the program", "receiver", t.r.env.Name, "line", text)
	}
}

// last is what was kept, on one line. It is called after read.
func (t *stderr) last() string { return strings.Join(t.kept, " / ") }
