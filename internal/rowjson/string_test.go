package rowjson

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// Wherever what has to be escaped stands in a text, and however long that is, it is written as encoding/json does.
func TestTextsAreAsThePackageWritesThem(t *testing.T) {
	for _, special := range []string{"", "\"", "\\", "\x00", "\x1f", " ", "\x7f", "\x80", "\xff", "é", "\u2028", "\u2029", "\U0001F600", "\xe2\x80", "\ufffd"} {
		for n := range 27 {
			for at := range n + 1 {
				s := strings.Repeat("a", at) + special + strings.Repeat("z", n-at)
				var want bytes.Buffer
				e := json.NewEncoder(&want)
				e.SetEscapeHTML(false)
				if err := e.Encode(s); err != nil {
					t.Fatal(err)
				}
				if got := string(AppendString(nil, s)) + "\n"; got != want.String() {
					t.Fatalf("%q is written %s, want %s", s, got, want.String())
				}
			}
		}
	}
}
