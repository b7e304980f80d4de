package conf

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/BurntSushi/toml"
)

type inner struct {
	Cert string `toml:"cert" doc:"a file"`
}

type sample struct {
	Name  string   `toml:"name" doc:"n"`
	Count int      `toml:"count"`
	Every Duration `toml:"every"`
	Room  AutoSize `toml:"room"`
	List  []string `toml:"list"`
	TLS   inner    `toml:"tls"`
	Keys  Pairs    `toml:"keys"`
	On    bool     `toml:"on"`
}

func TestBindFillsEveryType(t *testing.T) {
	d := Parse("f", []byte(`
name = "x"
count = 3
every = "1d2h"
room = "8MiB"
list = ["a", "b"]
tls = { cert = "c" }
keys = { z = "1", a = "2" }
on = true
`))
	s := sample{Room: AutoSize{Auto: true}}
	d.Root().Bind(&s)
	if p := d.Problems(); len(p) > 0 {
		t.Fatal(p)
	}
	if s.Name != "x" || s.Count != 3 || s.Every.D() != 26*time.Hour || s.Room.Or(1) != 8<<20 || s.TLS.Cert != "c" || !s.On {
		t.Fatalf("%+v", s)
	}
	if !slices.Equal(s.Keys, Pairs{{"z", "1"}, {"a", "2"}}) {
		t.Fatalf("pairs lost their order: %v", s.Keys)
	}
}

func TestEveryMistakeAtOnceWithItsLine(t *testing.T) {
	d := Parse("f.toml", []byte(`name = 7
cuont = 3
every = "soon"
list = ["a",
  4]
tls = { cret = "c" }
keys = { ok = "1",  bad = 2 }
on = "yes"
room = "12 parsecs"
`))
	var s sample
	d.Root().Bind(&s)
	want := []string{
		`f.toml:1: name: want a string, have the number 7`,
		`f.toml:2: unknown key "cuont"; did you mean "count"?`,
		`f.toml:3: every: "soon" is not a duration; write "200ms", "10s", "5m", "24h" or "7d"`,
		`f.toml:4: list: want a list of strings, have the number 4 in it`,
		`f.toml:6: unknown key "cret" in [tls]; did you mean "cert"?`,
		`f.toml:7: keys.bad: want a string, have the number 2`,
		`f.toml:8: on: want true or false, have the string "yes"`,
		`f.toml:9: room: "12 parsecs" is not a size; write "64MiB" (1024) or "64MB" (1000), or "auto"`,
	}
	var got []string
	for _, p := range d.Problems() {
		got = append(got, p.String())
	}
	if !slices.Equal(got, want) {
		t.Fatalf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestSyntaxErrorIsOneLine(t *testing.T) {
	d := Parse("f", []byte("a = 1\nb = = 2\n"))
	if p := d.Problems(); len(p) != 1 || p[0].Line != 2 {
		t.Fatal(p)
	}
}

func TestTypesReadWhatTheyWrite(t *testing.T) {
	for _, c := range []struct {
		set  Setter
		text string
		want string
	}{
		{new(Duration), "200ms", "200ms"}, {new(Duration), "10m", "10m"}, {new(Duration), "24h", "1d"}, {new(Duration), "90m", "1h30m"},
		{new(Size), "64MiB", "64MiB"}, {new(Size), "64MB", "64MB"}, {new(Size), "1.5KiB", "1536B"}, {new(Size), "", ""},
		{new(AutoSize), "auto", "auto"}, {new(Rate), "120/min", "2/s"}, {new(Rate), "", ""},
		{new(ByteRate), "2GB/day", "2GB/day"}, {new(ByteRate), "unlimited", "unlimited"},
	} {
		if err := c.set.SetTOML(c.text); err != nil {
			t.Errorf("%T %q: %v", c.set, c.text, err)
		}
		if got := c.set.(interface{ String() string }).String(); got != c.want {
			t.Errorf("%T %q: wrote %q, want %q", c.set, c.text, got, c.want)
		}
	}
	for _, s := range []Setter{new(Duration), new(Size), new(Rate), new(ByteRate)} {
		for _, bad := range []any{"x", true, "-3MiB", "1/fortnight", "5dd"} {
			if s.SetTOML(bad) == nil {
				t.Errorf("%T accepted %v", s, bad)
			}
		}
	}
}

// FuzzScan holds our scan of the keys against the library's own list of them.
func FuzzScan(f *testing.F) {
	for _, s := range []string{
		"a = 1\n[b.c]\nd = 'x # y'\n\"e.f\" = {g = 1, h.i = [1,\n2, {j = 3}]}\n",
		"s = \"\"\"\nx = 1\n\"\"\"\n[t]\n# c = 2\nu = 2020-01-01T00:00:00Z # [x]\n",
		"a.b.c = true\na.d = '''\n[no]\n'''\n[[x]]\ny = 1\n",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var tree map[string]any
		md, err := toml.Decode(text, &tree)
		if err != nil || strings.ContainsAny(text, "\r\\") {
			return
		}
		lines, _ := scan([]byte(text))
		for _, k := range md.Keys() {
			inArray := false
			var v any = tree
			for _, part := range k {
				m, ok := v.(map[string]any)
				if !ok {
					inArray = true
					break
				}
				v = m[part]
			}
			if _, ok := lines[joinPath(k)]; !ok && !inArray {
				t.Fatalf("no line for %q in:\n%s", k, text)
			}
		}
	})
}
