package broker

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"edged"
	"edged/test/await"
)

// Large packets that come in part are bounded for all clients together: the oldest goes, and honest ones get through.
func TestPartsOfLargePacketsAreBounded(t *testing.T) {
	s := start(t, setup{cfg: func(c *Config) { c.MaxPacketSize = 4 << 20 }})
	part := append([]byte{0x30, 0x80, 0x80, 0x80, 1}, text("a")...) // of 2 MiB
	part = append(part, make([]byte, 2<<20-100)...)
	var slow []*peer
	for i := range partialBytes >> 21 {
		w, _ := connect(t, s, opts{id: fmt.Sprint("slow", i), v5: true})
		w.send(part)
		await.Soon(t, "it has come", func() bool { return s.partialBytes() >= (i+1)*(2<<20-200) })
		slow = append(slow, w)
	}
	honest, _ := connect(t, s, opts{id: "honest", v5: true})
	honest.publish(p{topic: "a", qos: 1, id: 1, payload: strings.Repeat("x", 3<<20)})
	honest.acks(0x40, 1)
	if code := slow[0].ended(); code != 0x97 {
		t.Errorf("the oldest: DISCONNECT %02X", code)
	}
	slow[len(slow)-1].send(make([]byte, 97))
	slow[len(slow)-1].quiet() // the newest is whole now
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
	w.v5 = true
	all := connectPacket(opts{id: "c", v5: true})
	all = append(all, w.publishPacket(p{topic: "site/1", qos: 1, id: 1, payload: "hello", props: u16(0x23, 1)})...)
	all = append(all, w.publishPacket(p{qos: 1, id: 2, payload: strings.Repeat("x", 300), props: u16(0x23, 1)})...)
	for i := range all {
		w.send(all[i : i+1])
	}
	if f := w.read(); f.kind != 0x20 {
		t.Fatal(f)
	}
	w.acks(0x40, 1, 2)
	if got := r.has(t, 2); got[0] != "hello" || len(got[1]) != 300 {
		t.Errorf("%q", got)
	}
}

// One publisher whose messages go to many subscribers does not hold up another's.
func TestPublishersTakeTurnsAtTheFanOut(t *testing.T) {
	r := &receiver{}
	s := start(t, setup{attach: handlers(r)})
	for i := range 50 {
		w, _ := connect(t, s, opts{id: fmt.Sprint("many", i)})
		w.subscribe(1, "site/many", 0)
	}
	sub, _ := connect(t, s, opts{id: "one"})
	sub.subscribe(1, "site/one", 0)
	var order []string
	untap := s.Tap("site/#", func(topic string, _ []byte, _ bool, _ int64) { order = append(order, topic) })
	busy, _ := connect(t, s, opts{id: "busy"})
	for id := range uint16(200) {
		busy.publish(p{topic: "site/many", qos: 1, id: id + 1})
	}
	r.has(t, 200)
	calm, _ := connect(t, s, opts{id: "calm"})
	calm.publish(p{topic: "site/one", qos: 1, id: 1})
	r.has(t, 201)
	r.commit(nil)
	if m := sub.message(); m.topic != "site/one" {
		t.Fatal(m)
	}
	busy.acks(0x40, 1)
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
	w, _ := connect(t, s, opts{id: "fast"})
	calm, _ := connect(t, s, opts{id: "calm"})
	began := time.Now()
	for id := range uint16(40) {
		w.publish(p{topic: "site/1", qos: 1, id: id + 1})
	}
	calm.publish(p{topic: "site/1", qos: 1, id: 1})
	calm.acks(0x40, 1)
	if time.Since(began) > 900*time.Millisecond {
		t.Error("the calm one waited for the fast one")
	}
	for id := range uint16(40) {
		w.acks(0x40, id+1)
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
	first, _ := connect(t, s, opts{id: "0"})
	for i := range 2 {
		connect(t, s, opts{id: fmt.Sprint(i + 1)})
	}
	dial(t, s).ended()
	first.disconnect()
	await.Soon(t, "there is room again", func() bool { return s.Status().Clients == 2 })
	connect(t, s, opts{id: "4"})

	quick := start(t, setup{cfg: func(c *Config) { c.ConnectsPerSecond, c.set = 1, []string{perSecond} }})
	connect(t, quick, opts{id: "0"})
	connect(t, quick, opts{id: "1"})
	dial(t, quick).ended()
	await.Soon(t, "it is said", func() bool { return quick.log.Count("connects_per_second") > 0 })
	if s.Status().ConnsRefused != 1 || quick.Status().ConnsRefused != 1 {
		t.Errorf("%+v %+v", s.Status(), quick.Status())
	}
	cfg := Default()
	if cfg.countedAs(netip.MustParseAddr("127.0.0.1"), perAddress).IsValid() || !cfg.countedAs(netip.MustParseAddr("10.0.0.1"), perAddress).IsValid() {
		t.Error("loopback is bounded only if that was asked for")
	}
}

func TestTwoDevicesWithOneNameAreNamed(t *testing.T) {
	s := start(t, setup{})
	for range flapping + 1 {
		connect(t, s, opts{id: "twin"})
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
	away, _ := connect(t, s, opts{id: "away", keep: true})
	away.subscribe(1, "site/#", 1)
	away.disconnect()
	here, _ := connect(t, s, opts{id: "here", v5: true, keepalive: 30})
	here.publish(p{topic: "site/1", qos: 1, id: 1}, p{topic: "site/1", qos: 1, id: 2})
	here.acks(0x40, 1, 2)
	await.Soon(t, "they are queued", func() bool { return s.queued("away") == 2 })
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
	w, _ := connect(t, s, opts{id: "c", v5: true})
	w.subscribe(1, "$SYS/broker/clients/connected", 0)
	m := w.message()
	if m.payload != "0" && m.payload != "1" || !m.retain {
		t.Errorf("%+v", m)
	}
	w.publish(p{topic: "$SYS/broker/version", qos: 1, id: 1, retain: true, payload: "mine"})
	if f := w.read(); f.kind != 0x40 || f.code() != 0x90 {
		t.Errorf("%v", f)
	}
	if len(d.topics(t)) > 0 || s.Status().Retained > 0 {
		t.Errorf("$SYS is stored: %q", d.topics(t))
	}
	s.sys.publish()
	if m := w.message(); m.payload != "1" || m.retain {
		t.Errorf("%+v", m)
	}
	w.subscribe(2, "$SYS/#", 0)
	names := 0
	w.send([]byte{0xC0, 0})
	for f := w.read(); f.kind == 0x30; f = w.read() {
		names++
	}
	if names < 30 {
		t.Errorf("%d names", names)
	}
}
