package remote

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"edged/internal/conf"
)

func check(text string) (*Config, []conf.Problem, []conf.Problem) {
	d := conf.Parse("f", []byte("[receiver.field]\n"+text))
	table := d.Root().Sub("receiver").Sub("field")
	c := Default()
	table.Bind(c)
	c.Check(table, "field", "")
	return c, d.Problems(), d.Notes()
}

func TestConfigMistakes(t *testing.T) {
	t.Parallel()
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ text, want string }{
		{`broker = "mqtt.example.com"`, "is not an address"},
		{`broker = "ws://host"`, "tcp:// or tls://"},
		{`broker = "tcp://me:secret@host"`, "username and password_file"},
		{`broker = "tcp://host/path"`, "HOST:PORT"},
		{`broker = "tcp://host"` + "\n" + `tls = { ca = "x" }`, "tls is for tls://"},
		{`broker = "tls://host"` + "\n" + `tls = { ca = "/does/not/exist" }`, "no such file"},
		{`broker = "tls://host"` + "\n" + `tls = { ca = "` + empty + `" }`, "no certificate in PEM"},
		{`broker = "tls://host"` + "\n" + `tls = { cert = "x" }`, "belong together"},
		{`broker = "tcp://host"` + "\n" + `password_file = "` + empty + `"`, "without a username"},
		{`broker = "tcp://host"` + "\n" + `username = "me"` + "\n" + `password_file = "` + empty + `"`, "is empty"},
		{`broker = "tcp://host"` + "\n" + `qos = 3`, "0, 1 or 2"},
		{`broker = "tcp://host"` + "\n" + `retained = "stor"`, `did you mean "store"`},
		{`broker = "tcp://host"` + "\n" + `client_id = "a\u0000"`, "without NUL"},
	} {
		_, problems, _ := check(c.text)
		if len(problems) != 1 || !strings.Contains(problems[0].Msg, c.want) {
			t.Errorf("%s: %v, want %q", c.text, problems, c.want)
		}
	}
}

func TestConfigSaysWhatTheBrokerDoesNotPromise(t *testing.T) {
	t.Parallel()
	c, problems, notes := check(`broker = "tcp://host"`)
	if len(problems) != 0 || len(notes) != 1 || notes[0].Line != 2 {
		t.Fatal(problems, notes)
	}
	for _, want := range []string{"only as durable as that broker", "persistence true", "autosave_interval 1", "max_queued_messages 0", "max_inflight_messages 0"} {
		if !strings.Contains(notes[0].Msg, want) {
			t.Errorf("%q does not say %q", notes[0].Msg, want)
		}
	}
	if u, _ := c.url(); u.Host != "host:1883" {
		t.Error(u)
	}
	if c, _, _ := check(`broker = "tls://host"`); c == nil {
		t.Error("no config")
	} else if u, _ := c.url(); u.Host != "host:8883" {
		t.Error(u)
	}
	if _, _, notes := check("broker = \"tcp://host\"\nqos = 0"); len(notes) != 1 || !strings.Contains(notes[0].Msg, "lost while this gateway is away") {
		t.Error(notes)
	}
}

func TestTheClientIdentifierStaysTheSame(t *testing.T) {
	t.Parallel()
	a, _, _ := check(`broker = "tcp://host"`)
	b, _, _ := check(`broker = "tcp://host"`)
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	if a.ClientID != b.ClientID || !strings.HasPrefix(a.ClientID, "edged-"+host+"-field") {
		t.Fatal(a.ClientID, b.ClientID)
	}
	if c, _, _ := check("broker = \"tcp://host\"\nclient_id = \"mine\""); c.ClientID != "mine" {
		t.Fatal(c.ClientID)
	}
}
