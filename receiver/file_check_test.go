package receiver

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"edged/internal/conf"
)

// checked binds and checks a table of a receiver, and returns what is said.
func checked(t *testing.T, c Config, text string) (problems, notes []string) {
	t.Helper()
	doc := conf.Parse("f", []byte("[receiver.r]\n"+text))
	root := doc.Root()
	sub := root.Sub("receiver").Sub("r")
	sub.Bind(c.Fields()...)
	c.Check(sub, Env{Name: "r", DataDir: t.TempDir()})
	for _, p := range doc.Problems() {
		problems = append(problems, p.String())
	}
	for _, n := range doc.Notes() {
		notes = append(notes, n.String())
	}
	return problems, notes
}

func TestMistakesAreSaid(t *testing.T) {
	dir := t.TempDir()
	ok(t, os.WriteFile(filepath.Join(dir, "short"), []byte("short"), 0o600))
	ok(t, os.WriteFile(filepath.Join(dir, "token"), []byte("0123456789abcdef"), 0o600))
	file, http := func() Config { return DefaultFile() }, func() Config { return DefaultHTTP() }
	const site = "topics = [\"site/#\"]\n"
	for _, c := range []struct {
		make func() Config
		text string
		want string // in the one problem, or after "note: " in the one note; "" is neither
	}{
		{file, `path = "{dir}/meter.log"`, ""},
		{file, `path = "{dir}/meter.log*"`, ""},
		{file, ``, `needs path`},
		{file, `path = "{dir}/*/meter.log"`, "one receiver for each directory"},
		{file, `path = "{dir}/meter[.log"`, "no pattern"},
		{file, `path = "{dir}"`, "no regular file"},
		{file, `path = "{dir}/none/meter.log"`, "note: there is no directory"},
		{file, `path = "{dir}/a"` + "\n" + `start = "start"`, `want "end" or "beginning"`},
		{file, `path = "{dir}/a"` + "\n" + `max_line = "1B"`, "max_line: want between"},
		{file, `path = "{dir}/a"` + "\n" + `topic = "a/#"`, "wildcards"},
		{file, `path = "{dir}/a"` + "\n" + `topic = ""`, "empty"},
		{file, `path = "{dir}/a"` + "\n" + `topic = "{host}/a"`, "{name} and {file}"},
		{file, `path = "{dir}/a"` + "\n" + `topic = "{name}/{file}"`, ""},

		{http, site, ""},
		{http, ``, "needs topics"},
		{http, `topics = ["a/#/b"]`, "a/#/b"},
		{http, site + `listen = "8081"`, "HOST:PORT"},
		{http, site + `listen = ":8081"`, "r-token"},
		{http, site + "listen = \":8081\"\nallow_anonymous = true", ""},
		{http, site + "listen = \":8081\"\ntoken_file = \"{dir}/token\"", "note: listen: :8081 speaks plain HTTP"},
		{http, site + `token_file = "{dir}/short"`, "can be guessed"},
		{http, site + "allow_anonymous = true\ntoken_file = \"{dir}/token\"", "leave one of them out"},
		{http, site + `path = "ingest"`, "path: "},
		{http, site + `path = "/"`, ""},
		{http, site + `tls = { cert = "a.pem" }`, "belong together"},
		{http, site + `tls = { cert = "a.pem", key = "b.pem" }`, "cannot use"},
		{http, site + `max_body = "1GiB"`, "max_body: want"},
		{http, site + `max_bytes = "64KiB"`, "at least max_body"},
		{http, site + `max_connections = 0`, "at least 1"},
		{http, site + `timeout = "1h"`, "timeout: want"},
	} {
		problems, notes := checked(t, c.make(), strings.ReplaceAll(c.text, "{dir}", dir))
		want, note := strings.CutPrefix(c.want, "note: ")
		said, other := problems, notes
		if note {
			said, other = notes, problems
		}
		if len(other) > 0 || c.want == "" && len(said) > 0 || c.want != "" && (len(said) != 1 || !strings.Contains(said[0], want)) {
			t.Errorf("%s\nproblems %q\nnotes %q\nwant %q", c.text, problems, notes, c.want)
		}
	}
}

func TestWhatAFileCovers(t *testing.T) {
	for topic, want := range map[string]string{"file/{name}": "file/r", "{name}/{file}": "r/+", "a/log-{file}/b": "a/+/b"} {
		f := DefaultFile()
		f.Topic, f.name = topic, "r"
		if !slices.Equal(f.Covers(), []string{want}) {
			t.Errorf("%s covers %q, want %s", topic, f.Covers(), want)
		}
	}
}
