package e2e

import (
	"crypto/tls"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"edged/broker/passwd"
	"edged/test/harness"
	"edged/test/port"
	"edged/test/rawmqtt"
	"edged/test/selfsigned"
)

// Passwords, rules and certificates are read again when they change and on SIGHUP, by a gateway that runs: they apply to clients
// that are connected, and those who are not concerned stay.
func TestAccessIsReadAgain(t *testing.T) {
	t.Parallel()
	secure := port.Free(t)
	e := harness.New(t, strings.Replace(fmt.Sprintf(base, ""), `listen = ["tcp://127.0.0.1:{{broker}}"]`, fmt.Sprintf(`listen = ["tcp://127.0.0.1:{{broker}}", "tls://127.0.0.1:%d"]
password_file = "passwords"
acl_file = "rules"
tls = { cert = "cert.pem", key = "key.pem" }`, secure), 1))
	put := func(name string, text []byte) {
		t.Helper()
		path := filepath.Join(e.Dir, name)
		if err := os.WriteFile(path+".new", text, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}
	users := func(names ...string) (text []byte) {
		for _, n := range names {
			line, err := passwd.Make(n, "secret", 0)
			if err != nil {
				t.Fatal(err)
			}
			text = append(text, line+"\n"...)
		}
		return text
	}
	certificate := func() {
		cert, key, err := selfsigned.New(time.Now().Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		put("key.pem", key)
		put("cert.pem", cert)
	}
	ada := users("ada")
	put("passwords", append(users("bob"), ada...))
	put("rules", []byte("pattern readwrite site/%u/#\n"))
	certificate()
	e.Start()

	addr := fmt.Sprintf("127.0.0.1:%d", e.Broker)
	a, _ := rawmqtt.Login(t, addr, rawmqtt.Connect{ID: "a", V5: true, User: "ada", Password: "secret"})
	b, _ := rawmqtt.Login(t, addr, rawmqtt.Connect{ID: "b", V5: true, User: "bob", Password: "secret"})
	serial := func() string {
		c, err := tls.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", secure), &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			return err.Error()
		}
		defer c.Close()
		return c.ConnectionState().PeerCertificates[0].SerialNumber.String()
	}
	may := func(w *rawmqtt.Client, topic string) byte {
		t.Helper()
		w.Publish(rawmqtt.Publish{Topic: topic, QoS: 1, ID: 1, Payload: "1"})
		return w.Read().Code()
	}
	if may(a, "site/ada/x") != 0 || may(a, "site/bob/x") != 0x87 {
		t.Fatal("the rules do not hold")
	}

	put("rules", []byte("user ada\ntopic write site/bob/#\n"))
	harness.Until(t, 10*time.Second, "the new rules hold, without a signal", func() bool { return may(a, "site/bob/x") == 0 })
	if may(a, "site/ada/x") != 0x87 {
		t.Error("the old rules hold as well")
	}
	put("rules", []byte("topic sometimes site/#\n"))
	syscall.Kill(e.PID(), syscall.SIGHUP)
	harness.Until(t, 10*time.Second, "a mistake is said, and changes nothing", func() bool { return strings.Contains(e.Log(), "rules:1:") })
	if may(a, "site/bob/x") != 0 {
		t.Error("a mistake in the rules took the rights away")
	}
	if p := strings.Join(e.Status().Problems, "\n"); !strings.Contains(p, "broker.acl_file") || !strings.Contains(p, "rules:1:") {
		t.Errorf("status has nothing of it: %s", p)
	}

	before := serial()
	certificate()
	harness.Until(t, 10*time.Second, "the new certificate is shown", func() bool { s := serial(); return s != before })
	put("passwords", ada)
	syscall.Kill(e.PID(), syscall.SIGHUP)
	if code := b.Ended(); code != 0x87 {
		t.Errorf("bob was told %02X", code)
	}
	if may(a, "site/bob/x") != 0 {
		t.Error("ada had to go too")
	}
	if w := rawmqtt.Dial(t, addr); w.Connect(rawmqtt.Connect{ID: "b", V5: true, User: "bob", Password: "secret"}).Body[1] != 0x86 {
		t.Error("bob may still come in")
	}
}
