package receiver

import (
	"log/slog"
	"strings"
	"time"

	"edged/internal/child"
)

const (
	// lingering is how long after the program's end nothing may come from what it has left behind.
	lingering = 500 * time.Millisecond

	tailLines = 5   // lines of standard error that stand in the error about an end
	tailBytes = 500 // of a line of standard error
)

// words takes a program's standard error. Long lines are clipped, and lines that come too fast are only counted: the program does
// not fill the disk.
func (r *execs) words() *child.Words {
	return &child.Words{Keep: tailLines, Size: tailBytes, Text: errorText, Say: func(text string) {
		r.say.Say(slog.LevelInfo, "standard error of the program", "receiver", r.env.Name, "line", text)
	}}
}

func errorText(line []byte, over bool) string {
	text := strings.ToValidUTF8(string(line), "\uFFFD")
	if over {
		text += "…"
	}
	if strings.TrimSpace(text) == "" {
		return ""
	}
	return text
}
