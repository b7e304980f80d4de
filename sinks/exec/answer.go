package exec

import (
	"strings"
	"unicode"
)

// verdict is what the program said of a row.
type verdict uint8

const (
	unanswered verdict = iota
	taken              // ok
	poison             // error
	later              // retry
)

// words are the answers, as they are counted.
var words = [...]string{taken: "ok", poison: "error", later: "retry"}

// parse reads an answer. ok takes no text, so that a line of something else that begins with it is not taken for one.
func parse(line string) (v verdict, text string, ok bool) {
	word, rest, _ := strings.Cut(strings.TrimRight(line, " \t\r"), " ")
	switch {
	case word == "ok" && rest == "":
		return taken, "", true
	case word == "error":
		return poison, printable(rest, textSize), true
	case word == "retry":
		return later, printable(rest, textSize), true
	}
	return unanswered, "", false
}

const (
	lineSize = 4096 // bytes of a line of the program's that are read; the rest of it is dropped
	textSize = 200  // bytes of what a program said that stand in an error
)

// printable makes one line of foreign text that no terminal or log reader takes for anything else.
func printable(s string, size int) string {
	cut := s[:min(len(s), size)]
	cut = strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, strings.ToValidUTF8(cut, ""))), " ")
	if len(s) > size {
		cut += "…"
	}
	return cut
}
