package exec

import (
	"log/slog"

	"edged/internal/child"
	"edged/internal/sparse"
)

const (
	saidBurst = sparse.Burst // lines of standard error that are logged at once; then one a second
	saidSize  = 500          // bytes of a line that are logged
	lastLines = 3            // lines that stand in the error about an end
)

// said takes a life's standard error: into the log, within bounds, and the last lines for the error about its end.
type said struct{ child.Words }

func newSaid(log *slog.Logger) *said {
	bounded := sparse.New(log, "lines_left_out")
	return &said{child.Words{
		Keep: lastLines, Size: lineSize,
		Text: func(line []byte, _ bool) string { return printable(string(line), saidSize) },
		Say:  func(text string) { bounded.Say(slog.LevelInfo, "the sink's program says", "text", text) },
	}}
}

// words are the last lines, for an error: "" if there are none.
func (s *said) words() string {
	if last := s.Last(); last != "" {
		return ", saying: " + printable(last, 2*textSize)
	}
	return ""
}
