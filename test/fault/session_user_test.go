package fault

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"edged/test/harness"
	"edged/test/load"
	"edged/test/rawmqtt"
	"edged/test/verdict"
)

// A session belongs to the user who made it, after a restart as before: another user who comes with its client identifier does not get what waits
// there, and does not end it.
func TestSessionsBelongToTheirUser(t *testing.T) {
	byKillAtLeast(t, func(t *testing.T, end end) {
		passwords := filepath.Join(t.TempDir(), "passwords")
		for _, user := range []string{"alice", "bob"} {
			cmd := exec.Command(harness.Binary(t, "edged/cmd/edged"), "passwd", "--iterations", "101", passwords, user)
			cmd.Stdin = strings.NewReader(user + "\n")
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("passwd: %v: %s", err, out)
			}
		}
		if _, err := os.Stat(passwords); err != nil {
			t.Fatal(err)
		}
		e := sessionGateway(t, load.With(sessionConfig, "broker", `password_file = "`+passwords+`"`))
		as := func(o rawmqtt.Connect, user string) rawmqtt.Connect { o.User, o.Password = user, user; return o }
		s := newSubscriber(e, true, "shelf")
		s.login = as(s.login, "alice")
		s.begin(t, 1, "free/private")
		s.leave()
		p := newPublisher(e, true, "publisher")
		p.login = as(p.login, "alice")
		p.must(t, messages("free/private", 1, 20)...)
		p.leave()
		end.now(t, e)
		e.Start()
		v := verdict.Verdict{Fault: "sessions: " + end.name + ", another user comes with the client identifier", Acked: int64(len(p.acked))}
		for _, keep := range []bool{true, false} {
			o := as(login(true, "shelf"), "bob")
			o.Keep = keep
			w := rawmqtt.Dial(t, addr(e))
			if ack := w.Connect(o); ack.Body[1] == 0 {
				t.Errorf("bob has alice's session: CONNACK %v", ack)
				v.Doubled++
			}
			_ = w.Close()
		}
		s.returns(t, p.payloads(1))
		lost, _ := lostAndTwice(p.payloads(1), s.payloads(1))
		v.Lost = int64(len(lost))
		v.Holds(t)
	})
}
