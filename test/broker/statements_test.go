package broker

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var fill = flag.Bool("fill", false, "write the names of the cases into docs/mqtt.md")

const document = "../../docs/mqtt.md"

// numbered are the statements that the specifications number (appendix B of each): per section how many. The first of 5's section 2.2.1
// does not exist.
var numbered = []struct{ version, heading, sections string }{
	{"v3", "## MQTT 3.1.1", `1.5.3:3 2.2.2:2 2.3.1:7 3.1.0:2 3.1.2:24 3.1.3:11 3.1.4:5 3.2.0:1 3.2.2:6 3.3.1:12 3.3.2:3 3.3.4:1 3.3.5:2 3.6.1:1 3.8.1:1 3.8.3:4
		3.8.4:6 3.9.3:2 3.10.1:1 3.10.3:2 3.10.4:6 3.12.4:1 3.14.1:1 3.14.4:3 4.1.0:2 4.3.1:1 4.3.2:2 4.3.3:2 4.4.0:1 4.5.0:2 4.6.0:6 4.7.1:3 4.7.2:1 4.7.3:4
		4.8.0:2 6.0.0:4`},
	{"v5", "## MQTT 5", `1.5.4:3 1.5.5:1 1.5.7:1 2.1.3:1 2.2.1:6 2.2.2:1 3.1.0:2 3.1.2:30 3.1.3:12 3.1.4:6 3.2.0:2 3.2.2:22 3.3.1:13 3.3.2:20 3.3.4:10 3.4.2:3 3.5.2:3
		3.6.1:1 3.6.2:3 3.7.2:3 3.8.1:1 3.8.3:5 3.8.4:8 3.9.2:2 3.9.3:2 3.10.1:1 3.10.3:2 3.10.4:6 3.11.2:2 3.11.3:2 3.12.4:1 3.14.0:1 3.14.1:1 3.14.2:4 3.14.4:3
		3.15.1:1 3.15.2:3 4.1.0:2 4.2.0:1 4.3.1:1 4.3.2:5 4.3.3:13 4.4.0:2 4.5.0:2 4.6.0:6 4.7.0:1 4.7.1:2 4.7.2:1 4.7.3:4 4.8.2:6 4.9.0:3 4.12.0:7 4.12.1:2
		4.13.1:1 4.13.2:1 6.0.0:4`},
}

// statements are all of one version, in their order.
func statements(version, sections string) (all []string) {
	for _, s := range strings.Fields(sections) {
		section, n, _ := strings.Cut(s, ":")
		last, _ := strconv.Atoi(n)
		for i := 1; i <= last; i++ {
			if s := fmt.Sprintf("%s:MQTT-%s-%d", version, section, i); s != "v5:MQTT-2.2.1-1" {
				all = append(all, s)
			}
		}
	}
	return all
}

// shown are the statements that the sources say are shown, with the cases.
func shown(t *testing.T) map[string][]string {
	t.Helper()
	files, err := filepath.Glob("*_test.go")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d sources: %v", len(files), err)
	}
	by := map[string][]string{}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || !strings.HasPrefix(f.Name.Name, "Test") {
				continue
			}
			ast.Inspect(f, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok || fmt.Sprint(call.Fun) != "shows" {
					return true
				}
				for _, a := range call.Args[1:] {
					s, err := strconv.Unquote(a.(*ast.BasicLit).Value)
					if err != nil {
						t.Fatal(err)
					}
					if !slices.Contains(by[s], f.Name.Name) {
						by[s] = append(by[s], f.Name.Name)
					}
				}
				return true
			})
		}
	}
	return by
}

var (
	row       = regexp.MustCompile(`^\| (\d+\.\d+\.\d+-\d+) \| (.+) \| (.*) \|$`)
	bare      = regexp.MustCompile(`\d+\.\d+\.\d+-\d+`)
	reason    = regexp.MustCompile(`^not tested: \S.{10,}`)
	ofClients = "Of the client alone: "
)

// Every statement is in the document once: with the cases that show it, with the reason why there is none, or as one that a server
// cannot break. Every case says of the same statements that it shows them.
func TestEveryStatement(t *testing.T) {
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	cases := shown(t)
	seen := map[string]bool{}
	once := func(s string) {
		if seen[s] {
			t.Errorf("%s is there twice", s)
		}
		seen[s] = true
	}
	lines, version := strings.Split(string(text), "\n"), ""
	for i, line := range lines {
		for _, n := range numbered {
			if line == n.heading {
				version = n.version
			}
		}
		if version == "" {
			continue
		}
		if rest, ok := strings.CutPrefix(line, ofClients); ok {
			for _, id := range bare.FindAllString(rest, -1) {
				once(version + ":MQTT-" + id)
				if by := cases[version+":MQTT-"+id]; len(by) > 0 {
					t.Errorf("%s %s is of clients, and %v show it", version, id, by)
				}
			}
		}
		m := row.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		s := version + ":MQTT-" + m[1]
		once(s)
		slices.Sort(cases[s])
		want := "`" + strings.Join(cases[s], "`, `") + "`"
		switch {
		case len(cases[s]) == 0 && !reason.MatchString(m[3]):
			t.Errorf("%s: no case shows it, and the document gives no reason: %q", s, m[3])
		case len(cases[s]) > 0 && m[3] != want && *fill:
			lines[i] = fmt.Sprintf("| %s | %s | %s |", m[1], m[2], want)
		case len(cases[s]) > 0 && m[3] != want:
			t.Errorf("%s: the document says %s, the sources say %s (go test ./test/broker -run TestEveryStatement -fill)", s, m[3], want)
		}
	}
	for _, n := range numbered {
		for _, s := range statements(n.version, n.sections) {
			if !seen[s] {
				t.Errorf("%s is not in the document", s)
			}
			delete(seen, s)
			delete(cases, s)
		}
	}
	for s := range seen {
		t.Errorf("%s is in the document: there is no such statement", s)
	}
	for s, by := range cases {
		t.Errorf("%v show %s: there is no such statement", by, s)
	}
	if *fill {
		if err := os.WriteFile(document, []byte(strings.Join(lines, "\n")), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
