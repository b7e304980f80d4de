package broker

import (
	"strings"
	"testing"
	"time"

	"edged/internal/conf"
)

func load(t *testing.T, text string) (*Config, []conf.Problem, []conf.Problem) {
	t.Helper()
	d := conf.Parse("f", []byte("[broker]\n"+text))
	c := Load(d.Root().Sub("broker"), t.TempDir())
	return c, d.Problems(), d.Notes()
}

func TestDefaultsAreValidAndOnLoopback(t *testing.T) {
	c, problems, notes := load(t, "")
	if len(problems)+len(notes) > 0 {
		t.Fatal(problems, notes)
	}
	if c.MaxPacketSize != 256<<10 || c.SessionExpiry.D() != 7*24*time.Hour || c.Listen[0] != "tcp://127.0.0.1:1883" {
		t.Fatalf("%+v", c)
	}
}

func TestMistakesInTheTable(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{`listen = ["tcp://0.0.0.0:1883"]`, "other machines can reach"},
		{`listen = ["tcp://:1883"]`, "other machines can reach"},
		{`listen = ["tcp://[::]:1883"]`, "other machines can reach"},
		{`listen = ["tcp://broker.local:1883"]`, "other machines can reach"},
		{`listen = []`, "at least one"},
		{`listen = ["tls://127.0.0.1:8883"]`, "needs a certificate"},
		{`listen = ["mqtt://127.0.0.1:8883"]`, "tcp://"},
		{`listen = ["127.0.0.1:1883"]`, "tcp://"},
		{`listen = ["tcp://127.0.0.1"]`, "HOST:PORT"},
		{`listen = ["tcp://127.0.0.1:70000"]`, "65535"},
		{`listen = ["tcp://127.0.0.1:1", "tcp://127.0.0.1:1"]`, "twice"},
		{`listen = ["tcp://127.0.0.1:1", "ws://127.0.0.1:1"]`, "the same place"},
		{`max_connections = 0`, "between 1 and"},
		{`max_packet_size = "1B"`, "256MiB"},
		{`max_packet_size = "300MiB"`, "256MiB"},
		{`max_topic_levels = 0`, "between 1 and"},
		{`max_inflight = 65536`, "between 1 and 65535"},
		{`session_expiry = "100ms"`, "136 years"},
		{`connect_timeout = ""`, "more than 0"},
		{`max_queued_messages = 0`, "between 1 and"},
		{`max_retained = -1`, "between 0 and"},
		{`password_file = "x"`, "cannot read"},
		{`acl_file = "x"`, "cannot read"},
		{`tls = { cert = "x" }`, "belong together"},
		{`tls = { client_ca = "x" }`, "need cert and key"},
		{`tls = { user = "name" }`, `want "cn", "subject" or "san"`},
		{`max_keepalive = "20h"`, "65535"},
		{`max_write_backlog = "1KiB"`, "between 4KiB"},
		{`max_conections = 1`, `did you mean "max_connections"?`},
	} {
		_, problems, _ := load(t, c.text)
		if len(problems) != 1 || !strings.Contains(problems[0].Msg, c.want) || problems[0].Line != 2 {
			t.Errorf("%s: %v, want %q", c.text, problems, c.want)
		}
	}
}

func TestWideOpenIsSaidAloud(t *testing.T) {
	for _, text := range []string{`listen = ["tcp://localhost:1883", "tcp://[::1]:1883", "tcp://127.9.9.9:1"]`, `allow_anonymous = true`} {
		if _, problems, notes := load(t, text); len(problems)+len(notes) > 0 {
			t.Errorf("%s: %v %v", text, problems, notes)
		}
	}
	_, problems, notes := load(t, "listen = [\"tcp://0.0.0.0:1883\"]\nallow_anonymous = true")
	if len(problems) > 0 || len(notes) != 1 || !strings.Contains(notes[0].Msg, "read and publish everything") {
		t.Fatal(problems, notes)
	}
}
