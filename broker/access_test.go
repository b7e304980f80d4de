package broker

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"edged"
	"edged/broker/passwd"
	"edged/test/await"
)

// files puts password and ACL files into a directory, and returns what puts them into a configuration.
func files(t *testing.T, passwords map[string]string, rules string) (dir string, cfg func(*Config)) {
	t.Helper()
	dir = t.TempDir()
	setPasswords(t, dir, passwords)
	setRules(t, dir, rules)
	return dir, func(c *Config) {
		c.Dir, c.set = dir, []string{failedLogins}
		if passwords != nil {
			c.PasswordFile = "passwords"
		}
		if rules != "" {
			c.ACLFile = "rules"
		}
	}
}

func setPasswords(t *testing.T, dir string, passwords map[string]string) {
	t.Helper()
	var text string
	for user, password := range passwords {
		line, err := passwd.Make(user, password, 101)
		if err != nil {
			t.Fatal(err)
		}
		text += line + "\n"
	}
	write(t, filepath.Join(dir, "passwords"), text)
}

func setRules(t *testing.T, dir, rules string) {
	t.Helper()
	write(t, filepath.Join(dir, "rules"), rules)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestWhoMayComeIn(t *testing.T) {
	_, cfg := files(t, map[string]string{"ada": "secret"}, "")
	s := start(t, setup{cfg: cfg})
	for _, c := range []struct {
		user, password string
		v5             bool
		code           byte
	}{
		{"ada", "secret", false, 0}, {"ada", "secret", true, 0}, {"ada", "wrong", false, 4}, {"ada", "wrong", true, 0x86}, {"eve", "secret", true, 0x86},
		{"", "", false, 5}, {"", "", true, 0x87}, {"ada", "", true, 0x86},
	} {
		w := dial(t, s)
		if ack := w.connect(opts{id: "c", v5: c.v5, user: c.user, password: c.password}); ack.body[1] != c.code {
			t.Errorf("%+v: CONNACK %v", c, ack)
		} else if c.code != 0 {
			w.ended()
		}
	}
	if n := s.Status().Malformed; n != 0 {
		t.Errorf("%d connections ended because what they sent was malformed; it was not", n)
	}
	if n := s.Status().FailedLogins; n != 6 {
		t.Errorf("%d failed logins are counted", n)
	}
	if s.log.Count("secret") > 0 {
		t.Error("a password is in the log")
	}
}

func TestFailedLoginsOfAnAddressAreBounded(t *testing.T) {
	_, cfg := files(t, map[string]string{"ada": "secret"}, "")
	s := start(t, setup{cfg: func(c *Config) { cfg(c); c.MaxFailedLogins = 3 }})
	for range 3 {
		dial(t, s).connect(opts{id: "c", v5: true, user: "ada", password: "guess"})
	}
	w := dial(t, s)
	if ack := w.connect(opts{id: "c", v5: true, user: "ada", password: "secret"}); ack.body[1] != 0x9F {
		t.Errorf("CONNACK %v", ack)
	}
	await.Soon(t, "it is said", func() bool { return s.log.Count("max_failed_logins") > 0 })
}

func TestAnonymousBesidePasswords(t *testing.T) {
	_, cfg := files(t, map[string]string{"ada": "secret"}, "topic read public/#\nuser ada\ntopic readwrite #\n")
	s := start(t, setup{cfg: func(c *Config) { cfg(c); c.AllowAnonymous = true }})
	any, _ := connect(t, s, opts{id: "any", v5: true})
	ada, _ := connect(t, s, opts{id: "ada", v5: true, user: "ada", password: "secret"})
	if code := any.subscribe(1, "public/#", 0); code != 0 {
		t.Errorf("%02X", code)
	}
	if code := any.subscribe(2, "private/#", 0); code != 0x87 {
		t.Errorf("%02X", code)
	}
	ada.publish(p{topic: "public/1", payload: "hello"})
	if m := any.message(); m.payload != "hello" {
		t.Errorf("%+v", m)
	}
	any.publish(p{topic: "public/1", qos: 1, id: 1})
	if f := any.read(); f.kind != 0x40 || f.code() != 0x87 {
		t.Errorf("%v", f)
	}
}

func TestWhoMayDoWhat(t *testing.T) {
	_, cfg := files(t, map[string]string{"ada": "1", "bob": "2"}, `
user ada
topic readwrite ada/#
topic read all/#
topic deny all/secret
user bob
topic write all/#
pattern readwrite own/%u/%c
`)
	r := commits(t)
	s := start(t, setup{cfg: cfg, attach: map[string]edged.Handler{"#": r}})
	ada, _ := connect(t, s, opts{id: "a", v5: true, user: "ada", password: "1"})
	bob, _ := connect(t, s, opts{id: "b", user: "bob", password: "2"})
	if code := ada.subscribe(1, "#", 0); code != 0 {
		t.Fatalf("# overlaps what ada may read: %02X", code)
	}
	for filter, want := range map[string]byte{"all/secret": 0x87, "own/bob/b": 0x87, "own/ada/a": 1, "$share/g/bob/#": 0x87} {
		if code := ada.subscribe(2, filter, 1); code != want {
			t.Errorf("%s: %02X, want %02X", filter, code, want)
		}
	}
	bob.publish(p{topic: "all/secret", qos: 1, id: 1, payload: "s"}, p{topic: "own/bob/b", qos: 1, id: 2, payload: "o"}, p{topic: "all/1", qos: 1, id: 3, payload: "x"})
	bob.acks(0x40, 1, 2, 3)
	if m := ada.message(); m.topic != "all/1" {
		t.Errorf("ada got %+v", m)
	}
	ada.publish(p{topic: "all/1"}, p{topic: "all/1", qos: 1, id: 1}, p{topic: "ada/1", qos: 2, id: 2})
	codes := map[byte]byte{}
	for range 3 { // two acknowledgements, and the message, which ada subscribes to
		if f := ada.read(); f.kind != 0x30 {
			codes[f.kind] = f.code()
		}
	}
	if codes[0x40] != 0x87 || codes[0x50] != 0 || len(codes) != 2 {
		t.Errorf("%X", codes)
	}
	bob.publish(p{topic: "ada/1", qos: 1, id: 4})
	bob.ended() // 3.1.1 cannot be told otherwise
	if got := r.has(t, 4); strings.Join(got, "") != "sox" {
		t.Errorf("stored %q", got)
	}
	if n := s.Status().Denied; n != 6 {
		t.Errorf("%d are counted", n)
	}
}

func TestAWillThatIsNotAllowedIsRefusedAtOnce(t *testing.T) {
	_, cfg := files(t, nil, "topic write a/#\n")
	s := start(t, setup{cfg: cfg})
	w := dial(t, s)
	if ack := w.connect(opts{id: "c", v5: true, will: "b"}); ack.body[1] != 0x87 {
		t.Errorf("CONNACK %v", ack)
	}
	connect(t, s, opts{id: "c", v5: true, will: "a/1"})
}

func TestReadingTheFilesAgainAppliesToConnectedClients(t *testing.T) {
	dir, cfg := files(t, map[string]string{"ada": "1", "bob": "2"}, "user ada\ntopic readwrite a/#\nuser bob\ntopic readwrite b/#\n")
	s := start(t, setup{cfg: cfg})
	ada, _ := connect(t, s, opts{id: "a", v5: true, user: "ada", password: "1"})
	bob, _ := connect(t, s, opts{id: "b", v5: true, user: "bob", password: "2"})
	ada.subscribe(1, "a/#", 0)
	ada.publish(p{topic: "a/1", qos: 1, id: 1})
	ada.read()
	ada.read()

	setRules(t, dir, "this is no rule\n")
	if err := s.ReloadRules(); err == nil || !strings.Contains(err.Error(), ":1:") {
		t.Fatal(err)
	}
	ada.publish(p{topic: "a/1", qos: 0, payload: "still"})
	if m := ada.message(); m.payload != "still" {
		t.Fatalf("%+v", m)
	}
	setRules(t, dir, "user ada\ntopic write a/#\n")
	if err := s.ReloadRules(); err != nil {
		t.Fatal(err)
	}
	ada.publish(p{topic: "a/1", qos: 1, id: 2})
	ada.acks(0x40, 2) // and no message: reading is not allowed any more
	ada.quiet()
	bob.publish(p{topic: "b/1", qos: 1, id: 1})
	if f := bob.read(); f.code() != 0x87 {
		t.Fatal(f)
	}

	line, err := os.ReadFile(filepath.Join(dir, "passwords"))
	if err != nil {
		t.Fatal(err)
	}
	left, _ := passwd.Delete(line, "bob")
	write(t, filepath.Join(dir, "passwords"), string(left))
	if err := s.ReloadPasswords(); err != nil {
		t.Fatal(err)
	}
	if code := bob.ended(); code != 0x87 {
		t.Errorf("DISCONNECT %02X", code)
	}
	ada.quiet()
	await.Soon(t, "it is said", func() bool { return s.log.Count("password_file was changed") == 1 })
}

func TestAnotherUserNeitherGetsNorEndsTheSession(t *testing.T) {
	_, cfg := files(t, map[string]string{"ada": "1", "bob": "2"}, "")
	s := start(t, setup{cfg: cfg})
	ada, _ := connect(t, s, opts{id: "c", keep: true, user: "ada", password: "1"})
	ada.subscribe(1, "a", 1)
	for _, v5 := range []bool{false, true} {
		bob := dial(t, s)
		if ack := bob.connect(opts{id: "c", v5: v5, keep: true, user: "bob", password: "2"}); ack.body[1] != map[bool]byte{false: 2, true: 0x85}[v5] {
			t.Errorf("bob: CONNACK %v", ack)
		}
	}
	ada.quiet()
	ada.disconnect()
	dial(t, s).connect(opts{id: "c", user: "bob", password: "2"})
	if _, present := connect(t, s, opts{id: "c", keep: true, user: "ada", password: "1"}); !present || s.Status().Subscriptions != 1 {
		t.Error("ada has lost her session")
	}
}
