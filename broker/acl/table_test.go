package acl

import (
	"os"
	"path/filepath"
	"testing"

	"edged/test/mosquitto"
	"edged/test/need"
	"edged/test/rawmqtt"
)

// verdict is what one client may do with one topic: "rw", "r-", "-w" or "--".
type verdict struct {
	user, client, topic string
	want                string
	theirs              string // Mosquitto's, where it is another; doc.go says why
}

var table = []struct {
	name, file string
	verdicts   []verdict
}{
	{"accesses", "topic read r\ntopic write w\ntopic readwrite rw\ntopic both\ntopic deny no\ntopic no\n", []verdict{
		{"", "c", "r", "r-", ""}, {"", "c", "w", "-w", ""}, {"", "c", "rw", "rw", ""}, {"", "c", "both", "rw", ""}, {"", "c", "no", "--", ""}, {"", "c", "other", "--", ""},
	}},
	{"topics before the first user are for who has no name", "topic anon/#\nuser ann\ntopic read ann/#\nuser bob\ntopic bob/#\nuser ann\ntopic write ann/+/in\n", []verdict{
		{"", "c", "anon/x", "rw", ""}, {"", "c", "ann/x", "--", ""},
		{"ann", "c", "anon/x", "--", ""}, {"ann", "c", "ann/x", "r-", ""}, {"ann", "c", "ann", "r-", ""}, {"ann", "c", "ann/1/in", "rw", ""}, {"ann", "c", "bob/x", "--", ""},
		{"bob", "c", "bob/x/y", "rw", ""}, {"bob", "c", "ann/x", "--", ""}, {"cid", "c", "anon/x", "--", ""}, {"cid", "ann", "ann/x", "--", ""},
	}},
	{"deny wins wherever it stands", "user ann\ntopic #\ntopic deny secret/#\ntopic readwrite secret/mine\n", []verdict{
		{"ann", "c", "a", "rw", ""}, {"ann", "c", "secret", "--", ""}, {"ann", "c", "secret/x", "--", ""}, {"ann", "c", "secret/mine", "--", ""}, {"ann", "c", "secrets", "rw", ""},
	}},
	{"patterns are for everybody", "user ann\ntopic a/#\npattern read dev/%c/cmd\npattern write users/%u/#\npattern read news/#\n", []verdict{
		{"ann", "c1", "dev/c1/cmd", "r-", ""}, {"ann", "c1", "dev/c2/cmd", "--", ""}, {"ann", "c1", "users/ann/x", "-w", ""}, {"ann", "c1", "users/bob/x", "--", ""},
		{"ann", "c1", "a/b", "rw", ""}, {"bob", "c1", "a/b", "--", ""}, {"bob", "c1", "users/bob", "-w", ""}, {"bob", "c1", "news/x", "r-", ""},
		{"", "c1", "dev/c1/cmd", "r-", ""}, {"", "c1", "users//x", "--", ""}, {"", "c1", "users/%u/x", "--", ""}, {"", "c1", "news/x", "r-", ""},
		{"%c", "c1", "users/%c/x", "-w", ""}, {"%c", "c1", "users/c1/x", "--", ""},
	}},
	{"part of a level", "pattern dev-%c-%u/x\npattern %u%u/y\n", []verdict{
		{"ann", "c1", "dev-c1-ann/x", "rw", ""}, {"ann", "c1", "annann/y", "rw", ""}, {"ann", "c1", "dev-c1-/x", "--", ""}, {"", "c1", "dev-c1-/x", "--", ""},
	}},
	{"names with wildcards fill no pattern", "pattern dev/%c/#\npattern users/%u/#\npattern read news\nuser a+b\ntopic own\n", []verdict{
		{"", "+", "dev/x/y", "--", ""}, {"", "#", "dev/x/y", "--", ""}, {"+", "c", "users/ann/x", "--", ""}, {"#", "c", "users/ann/x", "--", ""},
		{"a+b", "c", "own", "rw", ""}, {"a+b", "c", "dev/c/x", "rw", "--"}, {"a+b", "c", "news", "r-", "--"}, {"", "c#", "news", "r-", "--"},
	}},
	{"names with levels fill no pattern", "pattern dev/%c\npattern users/%u\npattern read news\n", []verdict{
		{"", "a/b", "dev/a/b", "--", "rw"}, {"a/b", "c", "users/a/b", "--", "rw"}, {"", "a/b", "news", "r-", ""}, {"a/b", "c", "dev/c", "rw", ""}, {"a/b", "c", "users/a", "--", ""},
	}},
	{"patterns that deny", "pattern read #\npattern deny private/#\npattern readwrite private/%c\npattern deny dev/%c/off\nuser ann\ntopic private/#\n", []verdict{
		{"", "c", "x", "r-", ""}, {"", "c", "private/c", "--", ""}, {"", "c", "dev/c/off", "--", ""}, {"", "c", "dev/d/off", "r-", ""}, {"", "a/b", "dev/a/b/off", "--", ""},
		{"ann", "c", "private/x", "--", "rw"}, {"bob", "c", "private/x", "--", ""},
	}},
	{"topics with $", "topic #\ntopic +/x\nuser ann\ntopic read $SYS/broker/#\ntopic $data/#\nuser bob\ntopic #\npattern read %c/#\n", []verdict{
		{"", "c", "$SYS/broker/version", "--", ""}, {"", "c", "$data/x", "--", ""}, {"", "c", "x$", "rw", ""}, {"ann", "c", "$SYS/broker/version", "r-", ""}, {"ann", "c", "$data/x", "rw", ""},
		{"ann", "c", "x", "--", ""}, {"bob", "c", "$SYS/broker/version", "--", ""}, {"bob", "$SYS", "$SYS/broker/version", "--", "r-"},
	}},
	{"spaces", "  topic   read   hall one/+  \r\n\r\n# a comment\ntopic readwrite a  b\nuser  ann  lee \ntopic x\n", []verdict{
		{"", "c", "hall one/x", "r-", ""}, {"", "c", "a  b", "rw", ""}, {"", "c", "a b", "--", ""}, {"ann  lee", "c", "x", "rw", ""}, {"", "c", "x", "--", ""},
	}},
	{"nothing", "# nobody may do anything\n", []verdict{{"", "c", "x", "--", ""}, {"ann", "c", "x", "--", ""}}},
}

func letters(r, w bool) string {
	out := []byte("--")
	if r {
		out[0] = 'r'
	}
	if w {
		out[1] = 'w'
	}
	return string(out)
}

func rulesOf(t testing.TB, text string) *Rules {
	t.Helper()
	r, problems := Parse([]byte(text))
	for _, p := range problems {
		t.Fatalf("line %d: %s", p.Line, p.Text)
	}
	return r
}

func TestVerdicts(t *testing.T) {
	for _, c := range table {
		r := rulesOf(t, c.file)
		for _, v := range c.verdicts {
			p := r.For(v.user, v.client)
			if got := letters(p.MayRead(v.topic), p.MayWrite(v.topic)); got != v.want {
				t.Errorf("%s: user %q, client %q, %s: %s, want %s", c.name, v.user, v.client, v.topic, got, v.want)
			}
		}
	}
}

// TestVerdictsOfMosquitto: what the table says of Mosquitto is so.
func TestVerdictsOfMosquitto(t *testing.T) {
	need.Tool(t, "mosquitto")
	for _, c := range table {
		t.Run(c.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "acl")
			if err := os.WriteFile(file, []byte(c.file+"user the test\ntopic #\ntopic $data/#\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			addr := mosquitto.Start(t, "allow_anonymous true", "acl_file "+file)
			test, _ := rawmqtt.Login(t, addr, rawmqtt.Connect{ID: "the-test", V5: true, User: "the test"})
			for _, v := range c.verdicts {
				want := v.theirs
				if want == "" {
					want = v.want
				}
				if got := ask(t, addr, test, v); got != want {
					t.Errorf("user %q, client %q, %s: Mosquitto %s, want %s", v.user, v.client, v.topic, got, want)
				}
			}
		})
	}
}

// ask finds out whether a client of Mosquitto can publish to a topic, and whether a message to it, by a client that may,
// arrives. What Mosquitto sends comes before its answer to a PINGREQ.
func ask(t *testing.T, addr string, test *rawmqtt.Client, v verdict) string {
	t.Helper()
	c, _ := rawmqtt.Login(t, addr, rawmqtt.Connect{ID: v.client, V5: true, User: v.user})
	defer c.Close()
	c.Publish(rawmqtt.Publish{Topic: v.topic, QoS: 1, ID: 1})
	ack := c.Read()
	if ack.Kind != 0x40 {
		t.Fatalf("want PUBACK, have %v", ack)
	}
	if code := c.Subscribe(2, v.topic, 0); code != 0 {
		t.Fatalf("SUBACK %02X", code)
	}
	test.Publish(rawmqtt.Publish{Topic: v.topic, QoS: 1, ID: 3})
	if ack := test.Read(); ack.Kind != 0x40 {
		t.Fatalf("want PUBACK, have %v", ack)
	}
	c.Send([]byte{0xC0, 0})
	came := false
	for {
		f := c.Read()
		if f.Kind == 0xD0 {
			return letters(came, ack.Code() < 0x80)
		}
		_, isMessage := f.Message()
		came = came || isMessage
	}
}
