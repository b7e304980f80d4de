package child

import (
	"io"
	"strings"
	"sync"

	"edged/internal/linewise"
)

// Words are what a program says on its standard error: they are for the log, line by line, and the last ones for the error about its
// end. Last may be called from any goroutine.
type Words struct {
	Keep int                                 // the last lines that are kept
	Size int                                 // bytes of a line that are read; the rest of it is dropped
	Text func(line []byte, over bool) string // makes a text of a line, or of the beginning of one; "" leaves it out
	Say  func(text string)                   // logs it, within bounds (sparse.Log): a program may say anything as often as it likes

	mu   sync.Mutex
	kept []string
}

// Read reads until the end.
func (w *Words) Read(from io.Reader) {
	in := linewise.NewReader(from, w.Size)
	for {
		line, over, err := in.Next()
		if text := w.Text(line, over); text != "" {
			w.keep(text)
			w.Say(text)
		}
		if err != nil {
			return
		}
	}
}

func (w *Words) keep(text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.kept = append(w.kept, text); len(w.kept) > w.Keep {
		w.kept = w.kept[1:]
	}
}

// Last are the lines that were kept, as one; "" if there are none.
func (w *Words) Last() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Join(w.kept, " / ")
}
