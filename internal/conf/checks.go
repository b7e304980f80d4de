package conf

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// OneOf reports a key whose value is none of want, with the one that was probably meant. A key that was found wrong before
// is left alone.
func (t *Table) OneOf(key, have string, want ...string) {
	if !t.Bad(key) && !slices.Contains(want, have) {
		t.Errorf(key, "%s: want %s, have %q%s", key, Alternatives(want), have, Suggest(have, want))
	}
}

// Alternatives is "a", "b" or "c".
func Alternatives(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = fmt.Sprintf("%q", w)
	}
	last := len(quoted) - 1
	if last < 1 {
		return strings.Join(quoted, "")
	}
	return strings.Join(quoted[:last], ", ") + " or " + quoted[last]
}

// Loopback reports whether a host, as written, is this computer to itself: other machines cannot reach it. A name other than
// localhost is not looked up, and counts as reachable.
func Loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}
