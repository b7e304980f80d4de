// Package deps checks the structure of the house: which packages may not import which, and why.
package deps

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// rooms are the packages of the first floor. A room is its folder with everything below it.
var rooms = []string{"edged/gpio", "edged/broker", "edged/receiver", "edged/blockstore", "edged/batches", "edged/sinks"}

// only lists who may import a library. Everything else must go through that room.
var only = []struct{ library, by, why string }{
	{"go.etcd.io/bbolt", "edged/blockstore", "one committer writes the file, and one package knows its format"},
	{"github.com/eclipse/paho.mqtt.golang", "edged/broker", "its acknowledgements and reconnects need care that is taken once"},
	{"github.com/gorilla/websocket", "edged/broker/transport", "what it buffers, forgets and waits for is known there"},
	{"periph.io/x/host", "edged/gpio", "it opens devices and keeps global state"},
	{"periph.io/x/conn", "edged/gpio", "it keeps global registries"},
	{"github.com/BurntSushi/toml", "edged/internal/conf", "mistakes are found with their lines by one reader"},
	{"github.com/expr-lang/expr", "edged/batches/expression", "names are rewritten and checked in one place"},
	{"github.com/fxamacker/cbor", "edged/batches/decode", "payloads are bounded in one place"},
	{"github.com/tinylib/msgp", "edged/batches/decode", "payloads are bounded in one place"},
	{"github.com/coreos/go-systemd", "edged/internal/daemon", "only the daemon has a lifecycle to tell of"},
	{"github.com/fsnotify/fsnotify", "edged/internal/reload", "what a change of a file is, is decided once"},
	{"github.com/alecthomas/kong", "edged/cmd/edged", "only the roof has a command line"},
}

type pkg struct {
	path    string
	imports []string // of the code, without tests
}

func list(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "edged/...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var pkgs []pkg
	for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		f := strings.Fields(line)
		pkgs = append(pkgs, pkg{f[0], f[1:]})
	}
	if len(pkgs) < 20 {
		t.Fatalf("only %d packages found: the test looks at nothing", len(pkgs))
	}
	return pkgs
}

func in(path, tree string) bool { return path == tree || strings.HasPrefix(path, tree+"/") }

func roomOf(path string) string {
	for _, r := range rooms {
		if in(path, r) {
			return r
		}
	}
	return ""
}

// floor is how high a package stands; imports go down or stay within a room.
func floor(path string) (level int, name string) {
	switch {
	case path == "edged":
		return 0, "ground"
	case in(path, "edged/internal/daemon"):
		return 4, "attic"
	case in(path, "edged/internal"):
		return 1, "cellar"
	case roomOf(path) != "":
		return 2, "room"
	case in(path, "edged/configs"):
		return 3, "landing"
	case in(path, "edged/cmd"):
		return 5, "roof"
	}
	return 6, "outside"
}

func TestImportsGoDown(t *testing.T) {
	for _, p := range list(t) {
		from, name := floor(p.path)
		for _, i := range p.imports {
			if !in(i, "edged") {
				if from == 0 && strings.Contains(i, ".") {
					t.Errorf("%s imports %s: the ground uses the standard library only, so that everything can stand on it", p.path, i)
				}
				continue
			}
			to, toName := floor(i)
			switch {
			case to == 6 && from != 6:
				t.Errorf("%s (%s) imports %s: production code does not use tests' tools", p.path, name, i)
			case to > from:
				t.Errorf("%s (%s) imports %s (%s): imports go down only", p.path, name, i, toName)
			case from == 0 && to == 0:
			case roomOf(p.path) != "" && roomOf(i) != "" && roomOf(p.path) != roomOf(i):
				t.Errorf("%s imports %s: there are no doors between rooms; say it with an interface on the ground, or in the package that needs it", p.path, i)
			}
		}
	}
}

func TestLibrariesStayInTheirRooms(t *testing.T) {
	used := map[string]bool{}
	for _, p := range list(t) {
		for _, i := range p.imports {
			for _, o := range only {
				if !in(i, o.library) {
					continue
				}
				used[o.library] = true
				if !in(p.path, o.by) && !strings.HasPrefix(p.path, "edged/test/") {
					t.Errorf("%s imports %s: only %s may, because %s", p.path, i, o.by, o.why)
				}
			}
		}
	}
	for _, o := range only {
		if !used[o.library] {
			t.Errorf("nobody imports %s: take it out of the table", o.library)
		}
	}
}

// TestNoHiddenRegistration: a kind is one line in an explicit list, so that what is built in can be read.
func TestNoHiddenRegistration(t *testing.T) {
	out, err := exec.Command("grep", "-rnE", `^func init\(\)|^import _ |^	_ "`, "--include=*.go", "../..").Output()
	if err != nil && len(out) > 0 {
		t.Fatal(err)
	}
	for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		if line == "" || strings.Contains(line, "_test.go") || slices.ContainsFunc([]string{`_ "embed"`}, func(ok string) bool { return strings.Contains(line, ok) }) {
			continue
		}
		t.Errorf("%s: no init, no blank imports", line)
	}
}

// Every test that a comment or a document names as the guard of something is there.
func TestGuardsExist(t *testing.T) {
	have, named := map[string]bool{}, map[string]string{}
	name := regexp.MustCompile(`\bTest[A-Z][A-Za-z0-9]+`)
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			if d != nil && (d.Name() == ".git" || d.Name() == "testdata" || d.Name() == "node_modules") {
				return filepath.SkipDir
			}
			return err
		}
		if ext := filepath.Ext(path); ext != ".go" && ext != ".md" {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, line := range strings.Split(string(text), "\n") {
			if rest, ok := strings.CutPrefix(line, "func Test"); ok && strings.HasSuffix(path, "_test.go") {
				have["Test"+rest[:strings.IndexByte(rest, '(')]] = true
			}
			_, comment, isComment := strings.Cut(line, "//")
			if !isComment {
				if !strings.HasSuffix(path, ".md") {
					continue
				}
				comment = line
			}
			for _, n := range name.FindAllString(comment, -1) {
				named[n] = path
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(named) < 20 {
		t.Fatalf("only %d guards found: the test looks at nothing", len(named))
	}
	for n, path := range named {
		if !have[n] && n != "TestMain" {
			t.Errorf("%s names %s, which does not exist", path, n)
		}
	}
}
