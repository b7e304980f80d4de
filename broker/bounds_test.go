package broker

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"edged"
	"edged/test/await"
	"edged/test/rawmqtt"
)

// Large packets that come in part are bounded for all clients together: the oldest goes, and honest ones get through.
func TestPartsOfLargePacketsAreBounded(t *testing.T) {
	s := start(t, setup{cfg: func(c *Config) { c.MaxPacketSize = 4 << 20 }})
	part := append([]byte{0x30, 0x80, 0x80, 0x80, 1}, rawmqtt.Text("a")...) // of 2 MiB
	part = append(part, make([]byte, 2<<20-100)...)
	var slow []*rawmqtt.Client
	for i := range partialBytes >> 21 {
		w, _ := connect(t, s, rawmqtt.Connect{ID: fmt.Sprint("slow", i), V5: true})
		w.Send(part)
		await.Soon(t, "it has come", func() bool { return s.partialBytes() >= (i+1)*(2<<20-200) })
		slow = append(slow, w)
	}
	honest, _ := connect(t, s, rawmqtt.Connect{ID: "honest", V5: true})
	honest.Publish(rawmqtt.Publish{Topic: "a", QoS: 1, ID: 1, Payload: strings.Repeat("x", 3<<20)})
	honest.Acks(0x40, 1)
	if code := slow[0].Ended(); code != 0x97 {
		t.Errorf("the oldest: DISCONNECT %02X", code)
	}
	slow[len(slow)-1].Send(make([]byte, 97))
	slow[len(slow)-1].Quiet() // the newest is whole now
	for _, w := range slow[:len(slow)-1] {
		_ = w.Close()
	}
	await.Soon(t, "nothing is counted any more", func() bool { return s.partialBytes() == 0 })
}

func (s *server) partialBytes() int {
	s.partials.mu.Lock()
	defer s.partials.mu.Unlock()
	return s.partials.bytes
}

// Whoever sends a byte at a time is a client like any other.
func TestBytesOneByOne(t *testing.T) {
	r := commits(t)
	s := start(t, setup{attach: handlers(r)})
	w := dial(t, s)
	w.V5 = true
	all := rawmqtt.Connect{ID: "c", V5: true}.Bytes()
	all = append(all, rawmqtt.Publish{Topic: "site/1", QoS: 1, ID: 1, Payload: "hello", Props: rawmqtt.U16(0x23, 1)}.Bytes(w.V5)...)
	all = append(all, rawmqtt.Publish{QoS: 1, ID: 2, Payload: strings.Repeat("x", 300), Props: rawmqtt.U16(0x23, 1)}.Bytes(w.V5)...)
	for i := range all {
		w.Send(all[i : i+1])
	}
	if f := w.Read(); f.Kind != 0x20 {
		t.Fatal(f)
	}
	w.Acks(0x40, 1, 2)
	if got := r.has(t, 2); got[0] != "hello" || len(got[1]) != 300 {
		t.Errorf("%q", got)
	}
}

// One publisher whose messages go to many subscribers does not hold up another's.
func TestPublishersTakeTurnsAtTheFanOut(t *testing.T) {
	r := &receiver{}
	s := start(t, setup{attach: handlers(r)})
	for i := range 50 {
		w, _ := connect(t, s, rawmqtt.Connect{ID: fmt.Sprint("many", i)})
		w.Subscribe(1, "site/many", 0)
	}
	sub, _ := connect(t, s, rawmqtt.Connect{ID: "one"})
	sub.Subscribe(1, "site/one", 0)
	var order []string
	untap := s.Tap("site/#", func(topic string, _ []byte, _ bool, _ int64) { order = append(order, topic) })
	busy, _ := connect(t, s, rawmqtt.Connect{ID: "busy"})
	for id := range uint16(200) {
		busy.Publish(rawmqtt.Publish{Topic: "site/many", QoS: 1, ID: id + 1})
	}
	r.has(t, 200)
	calm, _ := connect(t, s, rawmqtt.Connect{ID: "calm"})
	calm.Publish(rawmqtt.Publish{Topic: "site/one", QoS: 1, ID: 1})
	r.has(t, 201)
	s.routes.changed()
	s.routes.mu.Lock() // no route is found: all of them are durable before the first is delivered, however busy the machine is
	r.commit(nil)
	s.routes.mu.Unlock()
	if m := sub.Message(); m.Topic != "site/one" {
		t.Fatal(m)
	}
	busy.Acks(0x40, 1)
	await.Soon(t, "everything is delivered", func() bool { return s.met.delivered.Get() == 200*50+1 })
	untap()
	at := 0
	for at < len(order) && order[at] != "site/one" {
		at++
	}
	if at > 50 {
		t.Errorf("it came after %d messages of the other", at)
	}
}

func TestAFastPublisherIsReadMoreSlowly(t *testing.T) {
	t.Parallel()
	r := commits(t)
	s := start(t, setup{attach: handlers(r), cfg: func(c *Config) { c.MaxMessageRate = 20 }})
	w, _ := connect(t, s, rawmqtt.Connect{ID: "fast"})
	calm, _ := connect(t, s, rawmqtt.Connect{ID: "calm"})
	began := time.Now()
	const all = 400 // 20 s of them: the calm one is not to wait for so long
	for id := range uint16(all) {
		w.Publish(rawmqtt.Publish{Topic: "site/1", QoS: 1, ID: id + 1})
	}
	calm.Publish(rawmqtt.Publish{Topic: "site/1", QoS: 1, ID: 1})
	calm.Acks(0x40, 1)
	if time.Since(began) > 15*time.Second {
		t.Error("the calm one waited for the fast one")
	}
	for id := range uint16(40) {
		w.Acks(0x40, id+1)
	}
	if d := time.Since(began); d < 900*time.Millisecond { // 20 at once, and 20 a second
		t.Errorf("40 publishes in %v", d)
	}
	if s.met.slowed.Get() == 0 {
		t.Error("it is not counted")
	}
}

func TestAddressesAreBounded(t *testing.T) {
	s := start(t, setup{cfg: func(c *Config) { c.MaxConnectionsPerAddress, c.set = 3, []string{perAddress} }})
	first, _ := connect(t, s, rawmqtt.Connect{ID: "0"})
	for i := range 2 {
		connect(t, s, rawmqtt.Connect{ID: fmt.Sprint(i + 1)})
	}
	dial(t, s).Ended()
	await.Soon(t, "it is counted", func() bool { return s.Status().ConnsRefused == 1 })
	first.Disconnect()
	await.Soon(t, "there is room again", func() bool { // a moment after the session knows that nobody is connected
		w, _, err := rawmqtt.Reach(s.addr, rawmqtt.Connect{ID: "4"})
		if err == nil {
			w.Drop()
		}
		return err == nil
	})

	quick := start(t, setup{cfg: func(c *Config) { c.ConnectsPerSecond, c.set = 1, []string{perSecond} }})
	connect(t, quick, rawmqtt.Connect{ID: "0"})
	connect(t, quick, rawmqtt.Connect{ID: "1"})
	dial(t, quick).Ended()
	await.Soon(t, "they are counted and said", func() bool {
		return quick.Status().ConnsRefused == 1 && quick.log.Count("connects_per_second") > 0
	})
	cfg := Default()
	if cfg.countedAs(netip.MustParseAddr("127.0.0.1"), perAddress).IsValid() || !cfg.countedAs(netip.MustParseAddr("10.0.0.1"), perAddress).IsValid() {
		t.Error("loopback is bounded only if that was asked for")
	}
}

func TestTwoDevicesWithOneNameAreNamed(t *testing.T) {
	s := start(t, setup{})
	for range flapping + 1 {
		connect(t, s, rawmqtt.Connect{ID: "twin"})
	}
	await.Soon(t, "it is said", func() bool { return s.log.Count("same client identifier") == 1 })
	c := s.Clients()
	if len(c) != 1 || c[0].Takeovers != flapping || len(c[0].Rivals) != 2 || c[0].Rivals[0] == "" || c[0].Rivals[0] == c[0].Rivals[1] {
		t.Errorf("%+v", c)
	}
}

func TestClientsAreListed(t *testing.T) {
	r := commits(t)
	s := start(t, setup{attach: map[string]edged.Handler{"site/#": r}})
	away, _ := connect(t, s, rawmqtt.Connect{ID: "away", Keep: true})
	away.Subscribe(1, "site/#", 1)
	away.Disconnect()
	here, _ := connect(t, s, rawmqtt.Connect{ID: "here", V5: true, Keepalive: 30})
	here.Publish(rawmqtt.Publish{Topic: "site/1", QoS: 1, ID: 1}, rawmqtt.Publish{Topic: "site/1", QoS: 1, ID: 2})
	here.Acks(0x40, 1, 2)
	await.Soon(t, "it is away, and they are queued", func() bool { return s.queued("away") == 2 && s.Status().Clients == 1 })
	c := s.Clients()
	if len(c) != 2 || c[0].ID != "here" || !c[0].Connected || c[0].Version != "5" || c[0].Received != 2 || c[0].Keepalive != 30 || c[0].Address == "" {
		t.Errorf("%+v", c)
	}
	if c[1].ID != "away" || c[1].Connected || c[1].Queued != 2 || c[1].Subscriptions != 1 || !c[1].Persistent {
		t.Errorf("%+v", c[1])
	}
	await.Soon(t, "rates are measured", func() bool { return s.Clients()[0].ReceivedRate > 0 })
}

func TestSysIsRetainedAndNobodyElsePublishesThere(t *testing.T) {
	d := newDisk(true)
	s := start(t, setup{retained: d})
	w, _ := connect(t, s, rawmqtt.Connect{ID: "c", V5: true})
	w.Subscribe(1, "$SYS/broker/clients/connected", 0)
	m := w.Message()
	if m.Payload != "0" && m.Payload != "1" || !m.Retain {
		t.Errorf("%+v", m)
	}
	w.Publish(rawmqtt.Publish{Topic: "$SYS/broker/version", QoS: 1, ID: 1, Retain: true, Payload: "mine"})
	if f := w.Read(); f.Kind != 0x40 || f.Code() != 0x90 {
		t.Errorf("%v", f)
	}
	if len(d.topics(t)) > 0 || s.Status().Retained > 0 {
		t.Errorf("$SYS is stored: %q", d.topics(t))
	}
	s.sys.publish()
	if m := w.Message(); m.Payload != "1" || m.Retain {
		t.Errorf("%+v", m)
	}
	w.Subscribe(2, "$SYS/#", 0)
	names := 0
	w.Send([]byte{0xC0, 0})
	for f := w.Read(); f.Kind == 0x30; f = w.Read() {
		names++
	}
	if names < 30 {
		t.Errorf("%d names", names)
	}
}
