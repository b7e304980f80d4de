package receiver

import (
	"net"
	"slices"
	"strings"
	"testing"

	"edged/internal/conf"
)

// check binds and checks the text of a [receiver.r] table.
func check(t *testing.T, c Config, text string) (problems, notes []string) {
	t.Helper()
	doc := conf.Parse("f", []byte("[receiver.r]\n"+text))
	sub := doc.Root().Sub("receiver").Sub("r")
	common := DefaultCommon()
	sub.Bind(append([]any{common}, c.Fields()...)...)
	common.Check(sub, []string{"memory", "disk", "memory_and_disk"})
	c.Check(sub, Env{Name: "r", DataDir: t.TempDir()})
	for _, p := range doc.Problems() {
		problems = append(problems, p.Msg)
	}
	for _, n := range doc.Notes() {
		notes = append(notes, n.Msg)
	}
	return problems, notes
}

func TestMistakesInTheConfiguration(t *testing.T) {
	for _, c := range []struct {
		kind          Config
		text, problem string // "" is none
		note          string
	}{
		{DefaultTCP(), `listen = "127.0.0.1:9999"`, "", ""},
		{DefaultTCP(), `listen = "[::1]:9999"`, "", ""},
		{DefaultTCP(), `dial = "sensors.local:9999"`, "", ""},
		{DefaultTCP(), "", "needs listen", ""},
		{DefaultTCP(), "listen = \"127.0.0.1:1\"\ndial = \"a:1\"", "one of the two", ""},
		{DefaultTCP(), `listen = "0.0.0.0:9999"`, "allow_anonymous = true", ""},
		{DefaultTCP(), `listen = ":9999"`, "allow_anonymous = true", ""},
		{DefaultTCP(), "listen = \"0.0.0.0:9999\"\nallow_anonymous = true", "", "whoever can reach"},
		{DefaultTCP(), `listen = "9999"`, "not an address", ""},
		{DefaultTCP(), `dial = ":9999"`, "not an address", ""},
		{DefaultTCP(), `dial = "host:http"`, "not an address", ""},
		{DefaultTCP(), "dial = \"host:1\"\nmax_connections = 3", "goes with listen", ""},
		{DefaultTCP(), "dial = \"host:1\"\nmax_line = \"1B\"", "max_line", ""},
		{DefaultTCP(), "dial = \"host:1\"\ntopic = \"a/{peer}\"", "{peer} is not known", ""},
		{DefaultTCP(), "dial = \"host:1\"\ntopic = \"a/+\"", "wildcards", ""},
		{DefaultTCP(), "listen = \"127.0.0.1:1\"\nmax_connections = 0", "at least 1", ""},
		{DefaultTCP(), "listen = \"127.0.0.1:1\"\nsplit = \"words\"", "split", ""},
		{DefaultTCP(), "listen = \"127.0.0.1:1\"\nsplit = \"lines\"", "", ""},
		{DefaultExec(), `command = ["sh", "-c", "echo 1"]`, "", ""},
		{DefaultExec(), "", "needs command", ""},
		{DefaultExec(), `command = []`, "needs command", ""},
		{DefaultExec(), `command = ["surely-no-such-program"]`, "", "cannot be started"},
		{DefaultExec(), `command = ["./none"]`, "", "cannot be started"},
		{DefaultExec(), "command = [\"sh\"]\ndir = \"none\"", "", "not a directory"},
		{DefaultExec(), "command = [\"sh\"]\nrestart = \"sometimes\"", "restart", ""},
		{DefaultExec(), "command = [\"sh\"]\ntopic = \"{addr}\"", "{addr} is not known", ""},
		{DefaultExec(), "command = [\"sh\"]\nenv = { \"A=B\" = \"c\" }", "environment", ""},
	} {
		problems, notes := check(t, c.kind, c.text)
		said := func(have []string, want string) bool {
			return want == "" && len(have) == 0 || want != "" && len(have) == 1 && strings.Contains(have[0], want)
		}
		if !said(problems, c.problem) || !said(notes, c.note) {
			t.Errorf("%q: problems %q, notes %q", c.text, problems, notes)
		}
	}
}

func TestCoversIsWhatItCanBring(t *testing.T) {
	c := DefaultTCP()
	if problems, _ := check(t, c, "listen = \"127.0.0.1:1\"\ntopic = \"{name}/from-{addr}/lines\""); problems != nil {
		t.Fatal(problems)
	}
	if got := c.Covers(); !slices.Equal(got, []string{"r/+/lines"}) {
		t.Error(got)
	}
	for addr, want := range map[string]string{"[fe80::1%eth0/x]:1": "fe80::1%eth0_x", "[::ffff:10.0.0.1]:99": "10.0.0.1", "a/b#+{": "a_b___", "": "_"} {
		if got := topicSafe(named(addr)); got != want {
			t.Errorf("%s is %s, want %s", addr, got, want)
		}
	}
}

type named string

func (named) Network() string  { return "" }
func (n named) String() string { return string(n) }

var _ net.Addr = named("")
