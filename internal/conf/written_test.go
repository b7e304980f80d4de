package conf

import (
	"slices"
	"testing"
)

func TestWritten(t *testing.T) {
	of := func(text string) string {
		doc := Parse("x", []byte(text))
		if len(doc.Problems()) > 0 {
			t.Fatal(doc.Problems())
		}
		return doc.Root().Sub("a").Written("left")
	}
	first := of("[a]\nx = 1\nlist = [\"b\", \"c\"]\ncolumns = { m = \"avg(value)\", n = \"count()\" }\n[a.sub.pin]\nk = 1.5\n")
	for text, same := range map[string]bool{
		"# a remark\n[a]\ncolumns = { m = \"avg(value)\", n = \"count()\" }\nlist = [ \"b\",\n \"c\" ]\nleft = 7\nx = 1\n[a.sub.pin]\nk = 1.5": true,
		"[a]\nx = 1\nlist = [\"b\", \"c\"]\ncolumns = { n = \"count()\", m = \"avg(value)\" }\n[a.sub.pin]\nk = 1.5\n":                         false, // columns have an order
		"[a]\nx = 1\nlist = [\"c\", \"b\"]\ncolumns = { m = \"avg(value)\", n = \"count()\" }\n[a.sub.pin]\nk = 1.5\n":                         false,
		"[a]\nx = \"1\"\nlist = [\"b\", \"c\"]\ncolumns = { m = \"avg(value)\", n = \"count()\" }\n[a.sub.pin]\nk = 1.5\n":                     false,
		"[a]\nx = 1\nlist = [\"b\", \"c\"]\ncolumns = { m = \"avg(value)\", n = \"count()\" }\n[a.sub.pin]\nk = 1.5\nl = 1":                    false,
		"[a]\nx = 1\nlist = [\"b,c\"]\ncolumns = { m = \"avg(value)\", n = \"count()\" }\n[a.sub.pin]\nk = 1.5\n":                              false,
	} {
		if (of(text) == first) != same {
			t.Errorf("same is not %t:\n%s\n%s", same, of(text), first)
		}
	}
	if (*Table)(nil).Written() != "" {
		t.Error("no table is not empty")
	}
}

func TestDifferences(t *testing.T) {
	type inner struct {
		Cert string `toml:"cert"`
	}
	type config struct {
		Listen []string `toml:"listen"`
		Max    Size     `toml:"max"`
		Auto   AutoSize `toml:"auto"`
		TLS    inner    `toml:"tls"`
		Dir    string   `toml:"-"`
	}
	a := config{Listen: []string{"x"}, Max: 1, Auto: AutoSize{Auto: true}}
	b := config{Listen: []string{"x"}, Max: 1, Auto: AutoSize{Auto: true}, Dir: "elsewhere"}
	if got := Differences(&a, &b); got != nil {
		t.Errorf("%v", got)
	}
	b = config{Listen: []string{"x", "y"}, Max: 2, Auto: AutoSize{Bytes: 1}, TLS: inner{"c"}}
	if got, want := Differences(&a, &b), []string{"listen", "max", "auto", "tls.cert"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
