package exec

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"edged"
	"edged/internal/conf"
)

func TestCheck(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", "/usr/bin:/bin")
	for _, f := range []struct {
		name string
		mode os.FileMode
	}{{"store.sh", 0o700}, {"plain", 0o600}, {"with space", 0o700}} {
		if err := os.WriteFile(filepath.Join(dir, f.name), []byte("#!/bin/sh\n"), f.mode); err != nil {
			t.Fatal(err)
		}
	}
	for text, want := range map[string]string{
		`command = ["sh", "-c", "cat"]`:                        "",
		`command = ["./store.sh"]`:                             "",
		`command = ["` + dir + `/store.sh"]`:                   "",
		`command = ["./with space"]`:                           "",
		"command = [\"sh\"]\nenv = { A = \"b\" }\ndir = \"/\"": "",
		``:                                     `f:1: [sink.a] needs command: a program and its arguments, such as command = ["/usr/local/bin/store", "-v"]`,
		`command = []`:                         `f:2: [sink.a] needs command: a program and its arguments, such as command = ["/usr/local/bin/store", "-v"]`,
		`command = "sh -c cat"`:                `f:2: command: want a list of strings, have the string "sh -c cat"`,
		`command = ["sh -c cat"]`:              `f:2: command: there is no program "sh -c cat"; it is no shell line: write the arguments as items of their own, or command = ["sh", "-c", …]`,
		`command = ["nosuch-program"]`:         "place: f:2: command: there is no program nosuch-program in PATH (/usr/bin:/bin); install it, or give its whole path",
		`command = ["./nosuch"]`:               "place: f:2: command: there is no program DIR/nosuch; install it, or correct command",
		`command = ["./plain"]`:                "place: f:2: command: DIR/plain may not be run by this user; make it executable (chmod +x)",
		"command = [\"sh\"]\ndir = \"nosuch\"": "place: f:3: dir: DIR/nosuch is no directory that can be used; make it, or correct dir",
		"command = [\"sh\"]\ndir = \"plain\"":  "place: f:3: dir: DIR/plain is no directory that can be used; make it, or correct dir",
		"command = [\"sh\"]\nenv = { \"A=B\" = \"c\", \"\" = \"\" }": `f:3: env: "A=B" cannot be a variable: its name needs a character, without =, and neither name nor value has zero bytes`,
		"command = [\"sh\"]\ntimeout = \"\"":                         "f:3: timeout: want a duration above 0; a program that stands still would do so for ever",
	} {
		e := quiet(t)
		e.DataDir = dir
		d := conf.Parse("f", []byte("[sink.a]\n"+text))
		table := d.Root().Sub("sink").Sub("a")
		c := Default()
		table.Bind(c)
		c.Check(table, e)
		var got []string
		for _, p := range d.Problems() {
			got = append(got, strings.ReplaceAll(p.String(), dir, "DIR"))
		}
		for _, n := range d.Notes() {
			kind := "note: "
			if n.Place {
				kind = "place: "
			}
			got = append(got, kind+strings.ReplaceAll(n.String(), dir, "DIR"))
		}
		if strings.Join(got, "\n") != want {
			t.Errorf("%s\ngot  %s\nwant %s", text, strings.Join(got, "\n"), want)
		}
	}
}

// TestCannotBeStarted: the sink holds until somebody has put the program there, and then goes on.
func TestCannotBeStarted(t *testing.T) {
	e := quiet(t)
	c := Default()
	c.Command = []string{"./store.sh"}
	s := open(t, c, e)
	err := deliver(t, s, delivery(0, 1, ""))
	if edged.ClassOf(err) != edged.Permanent || !strings.HasPrefix(err.Error(), "command: there is no program "+e.DataDir+"/./store.sh; install it") && !strings.HasPrefix(err.Error(), "command: there is no program "+e.DataDir+"/store.sh; install it") {
		t.Fatal(err)
	}
	path := filepath.Join(e.DataDir, "store.sh")
	if err := os.WriteFile(path, []byte("#!/nosuch/interpreter\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := deliver(t, s, delivery(0, 1, "")); edged.ClassOf(err) != edged.Permanent || !strings.Contains(err.Error(), "cannot be started") {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("#!/bin/sh\nwhile read -r row; do echo ok; done\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := deliver(t, s, delivery(0, 1, "")); err != nil {
		t.Fatal(err)
	}
}

// TestEnvironment: the program has edged's, without what systemd gives to edged alone, and what env adds.
func TestEnvironment(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "/run/systemd/notify")
	t.Setenv("KEPT", "yes")
	t.Setenv("CHANGED", "no")
	e := quiet(t)
	c := config(`env >env.txt; pwd >pwd.txt; read -r row; echo ok`)
	c.Env = conf.Pairs{{Key: "CHANGED", Value: "yes"}, {Key: "NEW", Value: "a b"}}
	c.Dir = "work"
	if err := os.Mkdir(filepath.Join(e.DataDir, "work"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := deliver(t, open(t, c, e), delivery(0, 1, "")); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(e.DataDir, "work", "env.txt"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(b), "\n")
	for _, want := range []string{"KEPT=yes", "CHANGED=yes", "NEW=a b", "EDGED_SINK=prog"} {
		if !slices.Contains(lines, want) {
			t.Errorf("no %s in\n%s", want, b)
		}
	}
	if strings.Contains(string(b), "NOTIFY_SOCKET") {
		t.Error("the program could speak to systemd for edged")
	}
}
