package deps

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// What the Makefile has inlined (HOT) are packages of the program: a name that is none, after one was renamed, would be left out without a word.
func TestWhatIsInlinedIsThere(t *testing.T) {
	text, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	_, list, ok := strings.Cut(strings.ReplaceAll(string(text), "\\\n", " "), "\nHOT = ")
	list, _, _ = strings.Cut(list, "\n")
	names := strings.Fields(list)
	if !ok || len(names) < 30 {
		t.Fatalf("found %d names: the test looks at nothing", len(names))
	}
	out, err := exec.Command("go", "list", "-deps", "edged/cmd/edged").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	packages := strings.Fields(string(out))
	for _, name := range names {
		tree, whole := strings.CutSuffix(name, "/...")
		there := false
		for _, p := range packages {
			there = there || p == name || whole && in(p, tree)
		}
		if !there {
			t.Errorf("%s is not a package of the program", name)
		}
	}
}
