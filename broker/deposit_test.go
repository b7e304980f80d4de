package broker

import (
	"strings"
	"testing"

	"edged/test/await"
	"edged/test/rawmqtt"
)

var large = strings.Repeat("x", 2*littleDeposit)

func TestDepositsAreBounded(t *testing.T) {
	var d deposits
	if d.take(depositBytes, depositBytes) != nil || d.take(1, littleDeposit+1) == nil || d.bytes.Load() != depositBytes {
		t.Error("all of them")
	}
	if d.take(littleDeposit, littleDeposit) != nil || d.take(-5, 2*littleDeposit) != nil {
		t.Error("little ones, and smaller ones, always find room")
	}
	if d.give(littleDeposit - 5); d.bytes.Load() != depositBytes {
		t.Error(d.bytes.Load())
	}
}

// When wills and aliases of all clients take too much memory, large ones are refused and little ones are not.
func TestLargeWillsAndAliasesAreRefusedWhenThereAreTooMany(t *testing.T) {
	s := start(t, setup{})
	s.deposits.bytes.Store(depositBytes)
	w := rawmqtt.Dial(t, s.addr)
	if ack := w.Connect(rawmqtt.Connect{ID: "large", V5: true, Will: "a", WillPayload: large}); ack.Body[1] != 0x97 {
		t.Errorf("CONNACK %v", ack)
	}
	w.Ended()
	w, _ = rawmqtt.Login(t, s.addr, rawmqtt.Connect{ID: "little", V5: true, Will: "a"})
	w.Publish(rawmqtt.Publish{Topic: "a", Props: rawmqtt.U16(0x23, 1)})
	w.Quiet()
	w.Publish(rawmqtt.Publish{Topic: large, Props: rawmqtt.U16(0x23, 2)})
	if code := w.Ended(); code != 0x97 {
		t.Errorf("DISCONNECT %02X", code)
	}
	await.Soon(t, "nothing of theirs is counted any more", func() bool { return s.deposits.bytes.Load() == depositBytes })
}

// However a will ends, it is not counted any more.
func TestDepositsAreGivenBack(t *testing.T) {
	_, cfg := files(t, map[string]string{"ada": "1", "bob": "2"}, "")
	s := start(t, setup{cfg: func(c *Config) { cfg(c); c.AllowAnonymous = true }})
	kept := rawmqtt.Connect{ID: "kept", V5: true, Keep: true, Props: rawmqtt.U32(0x11, 100)}
	late := kept
	late.Will, late.WillPayload, late.WillProps = "a", large, rawmqtt.U32(0x18, 100)
	plain := rawmqtt.Connect{ID: "plain", V5: true, Will: "a", WillPayload: large}
	for name, ends := range map[string]func(t *testing.T){
		"withdrawn": func(t *testing.T) {
			w, _ := rawmqtt.Login(t, s.addr, plain)
			s.deposited(t, len(large))
			w.Disconnect()
		},
		"published":  func(t *testing.T) { w, _ := rawmqtt.Login(t, s.addr, plain); s.deposited(t, len(large)); w.Drop() },
		"taken over": func(t *testing.T) { rawmqtt.Login(t, s.addr, late); rawmqtt.Login(t, s.addr, kept) },
		"its client is back": func(t *testing.T) {
			w, _ := rawmqtt.Login(t, s.addr, late)
			w.Drop()
			await.Soon(t, "it is away", func() bool { c, _ := s.sessions.count(); return c == 0 })
			s.deposited(t, len(large))
			rawmqtt.Login(t, s.addr, kept)
		},
		"refused after it was counted": func(t *testing.T) {
			rawmqtt.Login(t, s.addr, rawmqtt.Connect{ID: "hers", User: "ada", Password: "1"})
			w := rawmqtt.Dial(t, s.addr)
			if ack := w.Connect(rawmqtt.Connect{ID: "hers", V5: true, User: "bob", Password: "2", Will: "a", WillPayload: large}); ack.Body[1] != 0x85 {
				t.Fatal(ack)
			}
		},
		"aliases": func(t *testing.T) {
			w, _ := rawmqtt.Login(t, s.addr, rawmqtt.Connect{ID: "aliases", V5: true})
			w.Publish(rawmqtt.Publish{Topic: large, Props: rawmqtt.U16(0x23, 1)}, rawmqtt.Publish{Topic: large + "x", Props: rawmqtt.U16(0x23, 2)},
				rawmqtt.Publish{Topic: "short", Props: rawmqtt.U16(0x23, 1)})
			w.Quiet()
			if n := s.deposits.bytes.Load(); n != int64(len(large)+1+len("short")) {
				t.Errorf("%d bytes are counted", n)
			}
			w.Drop()
		},
	} {
		t.Run(name, func(t *testing.T) {
			ends(t)
			await.Soon(t, "nothing is counted any more", func() bool { return s.deposits.bytes.Load() == 0 })
			s.sessions.each(func(x *session) {
				if x.conn != nil {
					x.conn.close()
				}
			})
			await.Soon(t, "all are gone", func() bool { c, _ := s.sessions.count(); return c == 0 })
		})
	}
}

func (s *server) deposited(t *testing.T, n int) {
	t.Helper()
	if have := s.deposits.bytes.Load(); have < int64(n) {
		t.Errorf("%d bytes are counted, want %d", have, n)
	}
}
