package post

import "strings"

// validName reports whether s can be the name of a header: a token (RFC 9110, section 5.6.2).
func validName(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		return !letter && (r > '~' || !strings.ContainsRune("!#$%&'*+-.^_`|~", r))
	})
}

// ValidValue reports whether s can be the value of a header (RFC 9110, section 5.5): no control characters but the tab.
func ValidValue(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f })
}
