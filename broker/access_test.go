package broker

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"edged"
	"edged/broker/passwd"
	"edged/test/await"
	"edged/test/rawmqtt"
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
		if ack := w.Connect(rawmqtt.Connect{ID: "c", V5: c.v5, User: c.user, Password: c.password}); ack.Body[1] != c.code {
			t.Errorf("%+v: CONNACK %v", c, ack)
		} else if c.code != 0 {
			w.Ended()
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
		dial(t, s).Connect(rawmqtt.Connect{ID: "c", V5: true, User: "ada", Password: "guess"})
	}
	w := dial(t, s)
	if ack := w.Connect(rawmqtt.Connect{ID: "c", V5: true, User: "ada", Password: "secret"}); ack.Body[1] != 0x9F {
		t.Errorf("CONNACK %v", ack)
	}
	await.Soon(t, "it is said", func() bool { return s.log.Count("max_failed_logins") > 0 })
}

func TestAnonymousBesidePasswords(t *testing.T) {
	_, cfg := files(t, map[string]string{"ada": "secret"}, "topic read public/#\nuser ada\ntopic readwrite #\n")
	s := start(t, setup{cfg: func(c *Config) { cfg(c); c.AllowAnonymous = true }})
	any, _ := connect(t, s, rawmqtt.Connect{ID: "any", V5: true})
	ada, _ := connect(t, s, rawmqtt.Connect{ID: "ada", V5: true, User: "ada", Password: "secret"})
	if code := any.Subscribe(1, "public/#", 0); code != 0 {
		t.Errorf("%02X", code)
	}
	if code := any.Subscribe(2, "private/#", 0); code != 0x87 {
		t.Errorf("%02X", code)
	}
	ada.Publish(rawmqtt.Publish{Topic: "public/1", Payload: "hello"})
	if m := any.Message(); m.Payload != "hello" {
		t.Errorf("%+v", m)
	}
	any.Publish(rawmqtt.Publish{Topic: "public/1", QoS: 1, ID: 1})
	if f := any.Read(); f.Kind != 0x40 || f.Code() != 0x87 {
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
	ada, _ := connect(t, s, rawmqtt.Connect{ID: "a", V5: true, User: "ada", Password: "1"})
	bob, _ := connect(t, s, rawmqtt.Connect{ID: "b", User: "bob", Password: "2"})
	if code := ada.Subscribe(1, "#", 0); code != 0 {
		t.Fatalf("# overlaps what ada may read: %02X", code)
	}
	for filter, want := range map[string]byte{"all/secret": 0x87, "own/bob/b": 0x87, "own/ada/a": 1, "$share/g/bob/#": 0x87} {
		if code := ada.Subscribe(2, filter, 1); code != want {
			t.Errorf("%s: %02X, want %02X", filter, code, want)
		}
	}
	bob.Publish(rawmqtt.Publish{Topic: "all/secret", QoS: 1, ID: 1, Payload: "s"},
		rawmqtt.Publish{Topic: "own/bob/b", QoS: 1, ID: 2, Payload: "o"}, rawmqtt.Publish{Topic: "all/1", QoS: 1, ID: 3, Payload: "x"})
	bob.Acks(0x40, 1, 2, 3)
	if m := ada.Message(); m.Topic != "all/1" {
		t.Errorf("ada got %+v", m)
	}
	ada.Publish(rawmqtt.Publish{Topic: "all/1"}, rawmqtt.Publish{Topic: "all/1", QoS: 1, ID: 1}, rawmqtt.Publish{Topic: "ada/1", QoS: 2, ID: 2})
	codes := map[byte]byte{}
	for range 3 { // two acknowledgements, and the message, which ada subscribes to
		if f := ada.Read(); f.Kind != 0x30 {
			codes[f.Kind] = f.Code()
		}
	}
	if codes[0x40] != 0x87 || codes[0x50] != 0 || len(codes) != 2 {
		t.Errorf("%X", codes)
	}
	bob.Publish(rawmqtt.Publish{Topic: "ada/1", QoS: 1, ID: 4})
	bob.Ended() // 3.1.1 cannot be told otherwise
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
	if ack := w.Connect(rawmqtt.Connect{ID: "c", V5: true, Will: "b"}); ack.Body[1] != 0x87 {
		t.Errorf("CONNACK %v", ack)
	}
	connect(t, s, rawmqtt.Connect{ID: "c", V5: true, Will: "a/1"})
}

func TestReadingTheFilesAgainAppliesToConnectedClients(t *testing.T) {
	dir, cfg := files(t, map[string]string{"ada": "1", "bob": "2"}, "user ada\ntopic readwrite a/#\nuser bob\ntopic readwrite b/#\n")
	s := start(t, setup{cfg: cfg})
	ada, _ := connect(t, s, rawmqtt.Connect{ID: "a", V5: true, User: "ada", Password: "1"})
	bob, _ := connect(t, s, rawmqtt.Connect{ID: "b", V5: true, User: "bob", Password: "2"})
	ada.Subscribe(1, "a/#", 0)
	ada.Publish(rawmqtt.Publish{Topic: "a/1", QoS: 1, ID: 1})
	ada.Read()
	ada.Read()

	setRules(t, dir, "this is no rule\n")
	if err := s.ReloadRules(); err == nil || !strings.Contains(err.Error(), ":1:") {
		t.Fatal(err)
	}
	ada.Publish(rawmqtt.Publish{Topic: "a/1", QoS: 0, Payload: "still"})
	if m := ada.Message(); m.Payload != "still" {
		t.Fatalf("%+v", m)
	}
	setRules(t, dir, "user ada\ntopic write a/#\n")
	if err := s.ReloadRules(); err != nil {
		t.Fatal(err)
	}
	ada.Publish(rawmqtt.Publish{Topic: "a/1", QoS: 1, ID: 2})
	ada.Acks(0x40, 2) // and no message: reading is not allowed any more
	ada.Quiet()
	bob.Publish(rawmqtt.Publish{Topic: "b/1", QoS: 1, ID: 1})
	if f := bob.Read(); f.Code() != 0x87 {
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
	if code := bob.Ended(); code != 0x87 {
		t.Errorf("DISCONNECT %02X", code)
	}
	ada.Quiet()
	await.Soon(t, "it is said", func() bool { return s.log.Count("password_file was changed") == 1 })
}

func TestAnotherUserNeitherGetsNorEndsTheSession(t *testing.T) {
	_, cfg := files(t, map[string]string{"ada": "1", "bob": "2"}, "")
	s := start(t, setup{cfg: cfg})
	ada, _ := connect(t, s, rawmqtt.Connect{ID: "c", Keep: true, User: "ada", Password: "1"})
	ada.Subscribe(1, "a", 1)
	for _, v5 := range []bool{false, true} {
		bob := dial(t, s)
		if ack := bob.Connect(rawmqtt.Connect{ID: "c", V5: v5, Keep: true, User: "bob", Password: "2"}); ack.Body[1] != map[bool]byte{false: 2, true: 0x85}[v5] {
			t.Errorf("bob: CONNACK %v", ack)
		}
	}
	ada.Quiet()
	ada.Disconnect()
	dial(t, s).Connect(rawmqtt.Connect{ID: "c", User: "bob", Password: "2"})
	if _, present := connect(t, s, rawmqtt.Connect{ID: "c", Keep: true, User: "ada", Password: "1"}); !present || s.Status().Subscriptions != 1 {
		t.Error("ada has lost her session")
	}
}
