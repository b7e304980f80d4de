package broker

import (
	"fmt"
	"sync"
	"testing"

	"edged/test/await"
	"edged/test/rawmqtt"
)

// holdChecks keeps every password check waiting until the returned function is called.
func (s *server) holdChecks() (release func()) {
	for range checking {
		s.checks <- struct{}{}
	}
	return func() {
		for range checking {
			<-s.checks
		}
	}
}

// answers sends n logins at the same moment, and hands out the codes of their CONNACKs as they come.
func (s *server) answers(n int, o rawmqtt.Connect) (codes <-chan byte, done func()) {
	out := make(chan byte, n)
	var wg sync.WaitGroup
	for i := range n {
		login := o
		login.ID = fmt.Sprint(o.ID, i)
		wg.Go(func() {
			w, ack, err := rawmqtt.Reach(s.addr, login)
			switch {
			case err == nil:
				w.Drop()
				out <- 0
			case len(ack.Body) > 1:
				out <- ack.Body[1]
			default:
				out <- 0xFF
			}
		})
	}
	return out, wg.Wait
}

// Guesses at the same moment are as many as guesses one after the other: the limit counts before a password is checked.
func TestFailedLoginsAtTheSameMomentAreBounded(t *testing.T) {
	_, cfg := files(t, map[string]string{"ada": "secret"}, "")
	s := start(t, setup{cfg: func(c *Config) { cfg(c); c.MaxFailedLogins = 20 }})
	release := s.holdChecks()
	codes, done := s.answers(100, rawmqtt.Connect{ID: "c", V5: true, User: "ada", Password: "guess"})
	got := map[byte]int{}
	for range 75 { // a few come late, and find that the limit allows one more every three seconds
		got[<-codes]++
	}
	release()
	done()
	for range 25 {
		got[<-codes]++
	}
	if got[0x9F] < 75 || got[0x86] < 20 || got[0x9F]+got[0x86] != 100 {
		t.Errorf("%v", got)
	}
}

// Those who know the password are not counted, at the same moment or not.
func TestRightLoginsAreNotCounted(t *testing.T) {
	_, cfg := files(t, map[string]string{"ada": "secret"}, "")
	s := start(t, setup{cfg: func(c *Config) { cfg(c); c.MaxFailedLogins = 2 }})
	for i := range 10 {
		rawmqtt.Login(t, s.addr, rawmqtt.Connect{ID: fmt.Sprint(i), User: "ada", Password: "secret"})
	}
}

// A password that is changed while it is being checked lets nobody in.
func TestALoginWhosePasswordChangesMeanwhile(t *testing.T) {
	dir, cfg := files(t, map[string]string{"ada": "old"}, "")
	s := start(t, setup{cfg: func(c *Config) { cfg(c); c.MaxFailedLogins = 1 }})
	release := s.holdChecks()
	codes, done := s.answers(2, rawmqtt.Connect{ID: "c", V5: true, User: "ada", Password: "old"})
	if code := <-codes; code != 0x9F { // the other is where passwords are checked
		t.Errorf("the second: CONNACK %02X", code)
	}
	setPasswords(t, dir, map[string]string{"ada": "new"})
	if err := s.ReloadPasswords(); err != nil {
		t.Fatal(err)
	}
	release()
	done()
	if code := <-codes; code != 0x87 {
		t.Errorf("CONNACK %02X", code)
	}
	if n := s.Status().Clients; n != 0 {
		t.Errorf("%d are connected", n)
	}
}

func TestAnEntryThatIsStillRight(t *testing.T) {
	dir, cfg := files(t, map[string]string{"ada": "1", "bob": "2"}, "")
	s := start(t, setup{cfg: cfg})
	entry := func(user string) *conn {
		e, _ := s.access.passwords.Load().Entry(user)
		return &conn{user: user, entry: e}
	}
	ada, bob, none := entry("ada"), entry("bob"), &conn{}
	for _, step := range []struct {
		passwords map[string]string
		ada, bob  bool
	}{{nil, true, true}, {map[string]string{"bob": "2"}, false, false}, {map[string]string{"ada": "1"}, false, false}} { // each has a salt of its own
		if step.passwords != nil {
			setPasswords(t, dir, step.passwords)
			if err := s.ReloadPasswords(); err != nil {
				t.Fatal(err)
			}
		}
		if s.access.stillRight(ada) != step.ada || s.access.stillRight(bob) != step.bob || !s.access.stillRight(none) {
			t.Errorf("%v", step)
		}
	}
}

// Whoever has gone makes room for another of the same address.
func TestAnAddressGetsItsRoomBack(t *testing.T) {
	s := start(t, setup{cfg: func(c *Config) { c.MaxConnectionsPerAddress, c.set = 2, []string{perAddress} }})
	rawmqtt.Login(t, s.addr, rawmqtt.Connect{ID: "stays"})
	for range 5 {
		await.Soon(t, "there is room", func() bool {
			w, _, err := rawmqtt.Reach(s.addr, rawmqtt.Connect{ID: "comes and goes"})
			if err == nil {
				w.Drop()
			}
			return err == nil
		})
	}
}
