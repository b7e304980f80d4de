package broker

import (
	"strings"
	"testing"
	"time"

	"edged/test/await"
	"edged/test/rawmqtt"
)

// Fault: no deadline before CONNECT, and packets of any size.
func TestAConnectionMustSayWhoItIs(t *testing.T) {
	s := start(t, setup{cfg: func(c *Config) { c.ConnectTimeout = 100e6 }})
	quick, _ := connect(t, s, rawmqtt.Connect{ID: "c"})
	silent, slow := dial(t, s), dial(t, s)
	slow.Send([]byte{0x10, 20, 0, 4, 'M'})
	silent.Ended()
	slow.Ended()
	quick.Quiet() // whoever has said who they are may be silent for longer
}

func TestTooLargeAPacketEndsTheConnectionUnread(t *testing.T) {
	s := start(t, setup{cfg: func(c *Config) { c.MaxPacketSize = 1000 }})
	first := dial(t, s)
	first.Send([]byte{0x10, 0xFF, 0xFF, 0xFF, 0x7F}) // 256 MB announced
	first.Ended()
	w, _ := connect(t, s, rawmqtt.Connect{ID: "c"})
	w.Publish(rawmqtt.Publish{Topic: "a", Payload: strings.Repeat("x", 900)})
	w.Quiet()
	w.Send([]byte{0x30, 0xFF, 0xFF, 0xFF, 0x7F})
	w.Ended()
	await.Soon(t, "both are counted and one is logged", func() bool { return s.Status().Refused == 2 && s.log.Count("max_packet_size") > 0 })
}

func TestTheSubscriptionsOfAClientAreBounded(t *testing.T) {
	s := start(t, setup{cfg: func(c *Config) { c.MaxSubscriptions = 2 }})
	for name, o := range map[string]rawmqtt.Connect{"three": {ID: "three"}, "five": {ID: "five", V5: true}} {
		w, _ := connect(t, s, o)
		w.Subscribe(1, "a", 1)
		w.Subscribe(2, "b", 1)
		w.Subscribe(3, "a", 0) // known: no further one
		want := byte(0x80)
		if o.V5 {
			want = 0x97
		}
		w.Send(rawmqtt.Subscribe(w.V5, 4, "c", 1))
		if f := w.Read(); f.Kind != 0x90 || f.Body[len(f.Body)-1] != want {
			t.Errorf("%s: SUBACK %v, want %02X", name, f, want)
		}
	}
	if n := s.Status().Subscriptions; n != 4 {
		t.Errorf("%d subscriptions", n)
	}
}

// Fault: clients without keepalive, and keepalives for which the library's arithmetic overflows.
func TestKeepalive(t *testing.T) {
	for _, k := range []struct {
		seconds        uint16
		idle, patience time.Duration
	}{
		{0, 0, maxPatience}, {1, 2 * time.Second, 400 * time.Millisecond}, {10, 15500 * time.Millisecond, 4 * time.Second},
		{60, 90500 * time.Millisecond, maxPatience}, {65535, 98303 * time.Second, maxPatience},
	} {
		c := &conn{}
		if c.keepalive(k.seconds); c.idle != k.idle || c.patience != k.patience {
			t.Errorf("keepalive %d: idle %v, patience %v", k.seconds, c.idle, c.patience)
		}
	}
}

func TestASilentClientIsGivenUp(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	w, _ := connect(t, s, rawmqtt.Connect{ID: "c", Keepalive: 1})
	began := time.Now()
	w.Ended()
	if d := time.Since(began); d < 1500*time.Millisecond || d > patient/2 {
		t.Fatalf("given up after %v, want 1.5 times the keepalive of 1 s, and half a second", d)
	}
}

// One malformed SUBSCRIBE would end the library's process.
func TestAMalformedSubscribeEndsOneConnection(t *testing.T) {
	s := start(t, setup{})
	good, _ := connect(t, s, rawmqtt.Connect{ID: "good"})
	bad, _ := connect(t, s, rawmqtt.Connect{ID: "bad", V5: true})
	bad.Send(rawmqtt.Packet(0x82, append([]byte{0, 1, 0}, rawmqtt.Text("a")...))) // no options
	if code := bad.Ended(); code != 0x81 {
		t.Errorf("DISCONNECT %02X", code)
	}
	good.Quiet()
	if s.Status().Malformed != 1 || s.met.panics.Get() != 0 {
		t.Errorf("%+v", s.Status())
	}
	if bad, _ := connect(t, s, rawmqtt.Connect{ID: "bad", V5: true}); bad != nil {
		bad.Quiet()
	}
}

// Fault: filters that the library accepts or misses.
func TestFilters(t *testing.T) {
	s := start(t, setup{cfg: func(c *Config) { c.MaxTopicLevels = 4 }})
	three, _ := connect(t, s, rawmqtt.Connect{ID: "three"})
	five, _ := connect(t, s, rawmqtt.Connect{ID: "five", V5: true})
	for _, bad := range []string{"a#", "a+/b", "#/a", "a/b/c/d/e", "$share//a", "$share/g", "$share/g+/a", "$share/g/a#"} {
		if code := three.Subscribe(1, bad, 1); code != 0x80 {
			t.Errorf("3.1.1, %q: %02X", bad, code)
		}
		if code := five.Subscribe(1, bad, 1); code != 0x8F {
			t.Errorf("5, %q: %02X", bad, code)
		}
	}
	for _, good := range []string{"a/b/c/d", "+/+/+/#", "$share/g/a/+"} {
		if code := five.Subscribe(1, good, 1); code != 1 {
			t.Errorf("5, %q: %02X", good, code)
		}
	}
	if code := three.Subscribe(1, "x/+/#", 0); code != 0 {
		t.Fatalf("%02X", code)
	}
	_ = s.Publish(t.Context(), "x/y", []byte("parent"), 0, false)
	if m := three.Message(); m.Payload != "parent" {
		t.Fatalf("x/+/# matches x/y [MQTT-4.7.1-2]: %+v", m)
	}
}
