package clients

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/paho"

	"edged/test/await"
	"edged/test/harness"
)

// What an MQTT 5 client is told when it connects, and when it comes back to its session.
func TestPaho5Session(t *testing.T) {
	t.Parallel()
	g := start(t, "max_inflight = 32", "max_inflight = 32\nsession_expiry = \"1m\"\nmax_keepalive = \"20s\"")
	connect := login("kept")
	connect.Properties = &paho.ConnectProperties{SessionExpiryInterval: ptr(uint32(3600)), RequestProblemInfo: true}
	c, _, ack := g.paho(t, connect)
	p := ack.Properties
	if ack.SessionPresent || p.SessionExpiryInterval == nil || *p.SessionExpiryInterval != 60 || p.ServerKeepAlive == nil || *p.ServerKeepAlive != 20 ||
		p.ReceiveMaximum == nil || *p.ReceiveMaximum != 32 || p.MaximumPacketSize == nil || *p.MaximumPacketSize != 256<<10 {
		t.Errorf("CONNACK is %v with %+v", ack.SessionPresent, p)
	}
	subscribe(t, c, "site/kept", 2)
	if err := c.Disconnect(&paho.Disconnect{}); err != nil {
		t.Fatal(err)
	}
	other, _, ack := g.paho(t, login(""))
	if id := ack.Properties.AssignedClientID; id == "" {
		t.Error("a client without an identifier was given none")
	}
	g.send(t, other, &paho.Publish{Topic: "site/kept", Payload: []byte("waits"), QoS: 2})
	g.send(t, other, &paho.Publish{Topic: "site/kept", Payload: []byte("expires"), QoS: 1, Properties: &paho.PublishProperties{MessageExpiry: ptr(uint32(1))}})
	time.Sleep(1100 * time.Millisecond) // the expiry has no event
	connect.CleanStart = false
	_, in, ack := g.paho(t, connect)
	if !ack.SessionPresent {
		t.Error("the session is not there")
	}
	g.send(t, other, &paho.Publish{Topic: "site/kept", Payload: []byte("last"), QoS: 2})
	if err := same([]message{{"site/kept", "waits", 2}, {"site/kept", "last", 2}}, plain(in.wait(t, 2))); err != nil {
		t.Error(err)
	}
	g.settle()
}

// A topic is said once, then a number stands for it.
func TestPaho5TopicAliases(t *testing.T) {
	t.Parallel()
	g := start(t)
	c, in, ack := g.paho(t, login("alias"))
	if ack.Properties.TopicAliasMaximum == nil || *ack.Properties.TopicAliasMaximum < 2 {
		t.Fatalf("the broker takes no aliases: %+v", ack.Properties)
	}
	subscribe(t, c, "site/alias/#", 1)
	var want []message
	topics := []string{"site/alias/one", "site/alias/two"}
	for i := range 20 {
		m := message{topics[i%2], fmt.Sprint(i), 1}
		p := &paho.Publish{Payload: []byte(m.payload), QoS: 1, Properties: &paho.PublishProperties{TopicAlias: ptr(uint16(1 + i%2))}}
		if i < 2 {
			p.Topic = m.topic
		}
		if _, err := c.Publish(soon(t), p); err != nil {
			t.Fatal(err)
		}
		g.published(m)
		want = append(want, m)
	}
	if err := same(want, plain(in.wait(t, len(want)))); err != nil {
		t.Error(err)
	}
	g.settle()
}

// Members of a group share what is published: each message goes to one of them, and every member works.
func TestPaho5SharedSubscriptions(t *testing.T) {
	t.Parallel()
	g := start(t)
	var members []*inbox
	for i := range 3 {
		c, in, _ := g.paho(t, login(fmt.Sprint("member", i)))
		subscribe(t, c, "$share/group/site/shared/#", 1)
		members = append(members, in)
	}
	all, everything, _ := g.paho(t, login("all"))
	subscribe(t, all, "site/shared/#", 1)
	var want []string
	for i := range 60 {
		g.send(t, all, &paho.Publish{Topic: fmt.Sprint("site/shared/", i), Payload: []byte("work"), QoS: 1})
		want = append(want, fmt.Sprint("site/shared/", i))
	}
	everything.wait(t, 60)
	var have []string
	await.Soon(t, "the group gets all", func() bool {
		have = nil
		for _, m := range members {
			for _, p := range m.wait(t, 0) {
				have = append(have, p.Topic)
			}
		}
		return len(have) >= 60
	})
	if missing, more := differ(want, have); len(missing)+len(more) > 0 {
		t.Errorf("the group did not get %v, and got %v once more", missing, more)
	}
	for i, m := range members {
		if n := len(m.wait(t, 0)); n == 0 {
			t.Errorf("member %d got nothing", i)
		}
	}
	g.settle()
}

// A will waits for its delay: not for one who is back before it is over.
func TestPaho5WillDelay(t *testing.T) {
	t.Parallel()
	g := start(t)
	heir, in, _ := g.paho(t, login("heir"))
	subscribe(t, heir, "site/will/#", 1)
	willing := func(id string, delay uint32) *paho.Connect {
		c := login(id)
		c.CleanStart = false
		c.Properties = &paho.ConnectProperties{SessionExpiryInterval: ptr(uint32(60))}
		c.WillMessage = &paho.WillMessage{Topic: "site/will/" + id, Payload: []byte("gone"), QoS: 1}
		c.WillProperties = &paho.WillProperties{WillDelayInterval: &delay} // of the others paho sends none
		return c
	}
	back, _, _ := g.paho(t, willing("back", 1))
	gone, _, _ := g.paho(t, willing("gone", 2))
	// With reason 0x04 the will is wanted.
	for _, c := range []*paho.Client{back, gone} {
		if err := c.Disconnect(&paho.Disconnect{ReasonCode: 0x04}); err != nil {
			t.Fatal(err)
		}
	}
	harness.Until(t, await.Patience, "both are away", func() bool { return !g.Client(t, "back").Connected && !g.Client(t, "gone").Connected })
	g.paho(t, willing("back", 1))
	want := message{"site/will/gone", "gone", 1}
	g.published(want)
	if err := same([]message{want}, plain(in.wait(t, 1))); err != nil { // a second after the other's would have come
		t.Error(err)
	}
	g.settle()
}

// What is refused has a reason that paho reports.
func TestPaho5Refusals(t *testing.T) {
	t.Parallel()
	g := start(t)
	c, _, _ := g.paho(t, login("refused"))
	for qos := byte(1); qos <= 2; qos++ {
		if res, err := c.Publish(soon(t), &paho.Publish{Topic: "site/secret/x", Payload: []byte("x"), QoS: qos}); res == nil || res.ReasonCode != 0x87 {
			t.Errorf("QoS %d: a forbidden publish is answered with %+v, %v", qos, res, err)
		}
	}
	ack, err := c.Subscribe(soon(t), &paho.Subscribe{Subscriptions: []paho.SubscribeOptions{{Topic: "site/secret/#", QoS: 1}, {Topic: "site/a", QoS: 1}}})
	if ack == nil || len(ack.Reasons) != 2 || ack.Reasons[0] != 0x87 || ack.Reasons[1] != 1 {
		t.Errorf("a subscription to what is forbidden is answered with %+v, %v", ack, err)
	}
	g.send(t, c, &paho.Publish{Topic: "site/a", Payload: []byte("goes on"), QoS: 2})
	c, in, _ := g.paho(t, login("large"))
	if _, err := c.Publish(soon(t), &paho.Publish{Topic: "site/a", Payload: []byte(strings.Repeat("x", 300<<10)), QoS: 0}); err != nil {
		t.Logf("publishing too much: %v", err)
	}
	if d := gone(t, in); d.ReasonCode != 0x95 {
		t.Errorf("after a packet that is too large the broker says %#x", d.ReasonCode)
	}
	g.settle()
}

func gone(t testing.TB, in *inbox) *paho.Disconnect {
	t.Helper()
	select {
	case d := <-in.gone:
		return d
	case <-time.After(await.Patience):
		t.Fatal("the broker did not say goodbye")
		return nil
	}
}

// Who connects with an identifier that is in use takes the session over, and the other is told.
func TestPaho5Takeover(t *testing.T) {
	t.Parallel()
	g := start(t)
	_, first, _ := g.paho(t, login("same"))
	second, _, _ := g.paho(t, login("same"))
	if d := gone(t, first); d.ReasonCode != 0x8E {
		t.Errorf("the first is told %#x", d.ReasonCode)
	}
	g.send(t, second, &paho.Publish{Topic: "site/a", Payload: []byte("goes on"), QoS: 1})
	_, last, _ := g.paho(t, login("last"))
	g.AtRest(await.Patience)
	if err := g.Stop(); err != nil {
		t.Fatal(err)
	}
	if d := gone(t, last); d.ReasonCode != 0x8B {
		t.Errorf("at the stop a client is told %#x", d.ReasonCode)
	}
	g.Start()
	g.settle()
}

// No more unacknowledged messages are on their way to a client than its receive maximum; the others wait.
func TestPaho5ReceiveMaximum(t *testing.T) {
	t.Parallel()
	g := start(t)
	connect := login("slow")
	connect.Properties = &paho.ConnectProperties{ReceiveMaximum: ptr(uint16(3))}
	slow, in, _ := g.paho(t, connect)
	release := make(chan struct{})
	slow.AddOnPublishReceived(func(paho.PublishReceived) (bool, error) { <-release; return true, nil })
	subscribe(t, slow, "site/slow", 2)
	fast, _, _ := g.paho(t, login("fast"))
	var want []message
	for i := range 10 {
		m := message{"site/slow", fmt.Sprint(i), byte(1 + i%2)}
		g.send(t, fast, &paho.Publish{Topic: m.topic, Payload: []byte(m.payload), QoS: m.qos})
		want = append(want, m)
	}
	harness.Until(t, await.Patience, "three are on their way, seven wait", func() bool { c := g.Client(t, "slow"); return c.Unacked == 3 && c.Queued == 7 })
	if got := in.wait(t, 0); len(got) > 3 {
		t.Errorf("%d are there, of 3 that may be", len(got))
	}
	close(release)
	if err := same(want, plain(in.wait(t, 10))); err != nil {
		t.Error(err)
	}
	g.settle()
}
