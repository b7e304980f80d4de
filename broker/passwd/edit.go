package passwd

import "strings"

// Set returns a file in which the user has the given line (of Make): in place of the first one that the user had, or at the
// end. Further lines of the user go; all others stay byte for byte. text is not changed.
func Set(text []byte, user, line string) []byte {
	return edit(text, user, line+"\n")
}

// Delete returns a file without the lines of a user, and whether there were any.
func Delete(text []byte, user string) ([]byte, bool) {
	out := edit(text, user, "")
	return out, len(out) != len(text)
}

// edit puts one text in the place of all lines of a user.
func edit(text []byte, user, instead string) []byte {
	var b strings.Builder
	for line := range strings.Lines(string(text)) {
		if name, _, found := split(line); found && name == user {
			b.WriteString(instead)
			instead = ""
			continue
		}
		b.WriteString(line)
	}
	if instead != "" && b.Len() > 0 && !strings.HasSuffix(b.String(), "\n") {
		b.WriteString("\n")
	}
	b.WriteString(instead)
	return []byte(b.String())
}
