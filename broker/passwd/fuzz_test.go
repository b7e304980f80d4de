package passwd

import (
	"bytes"
	"os"
	"testing"
)

// FuzzParse: no text panics, and what was read is read again from what it prints.
func FuzzParse(f *testing.F) {
	text, err := os.ReadFile("testdata/mosquitto.passwd")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Fuzz(func(t *testing.T, text []byte) {
		file, problems := Parse(text)
		lines := bytes.Count(text, []byte("\n")) + 1
		for _, p := range problems {
			if p.Line < 1 || p.Line > lines || p.Text == "" {
				t.Fatalf("%+v of %d lines", p, lines)
			}
		}
		var out []byte
		for user := range file.users {
			entry, _ := file.Entry(user)
			out = Set(out, user, user+":"+entry)
		}
		again, problems := Parse(out)
		if len(problems) > 0 || again.Len() != file.Len() {
			t.Fatalf("printed:\n%s\nproblems: %v", out, problems)
		}
		for user := range file.users {
			a, _ := file.Entry(user)
			if b, ok := again.Entry(user); !ok || a != b {
				t.Fatalf("%q: %q became %q", user, a, b)
			}
		}
	})
}
