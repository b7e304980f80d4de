package fault

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"edged/test/harness"
	"edged/test/rawmqtt"
	"edged/test/verdict"
)

// A subscription is made amid the publishes of others, which are not durable yet, and the gateway is killed as soon as one of them has come: what was
// published before the subscription must not come after that one. Each sync takes so long here that what is published around the subscription
// becomes durable with it. Somebody else, who has subscribed to everything long ago, gets everything once, and in order.
func TestSubscribedAmidPublishes(t *testing.T) {
	t.Parallel()
	rounds := quickOrFull(1, 40)
	e := sessionGateway(t, sessionConfig)
	other := newSubscriber(e, true, "other")
	other.begin(t, 2, "#")
	other.leave()
	kills, told := 0, 0
	kill := func(as []*amid, sync time.Duration) {
		t.Helper()
		e.Kill()
		kills++
		for _, a := range as {
			a.p.leave()
			a.s.leave()
		}
		if e.Wrap = nil; sync > 0 {
			slowDisk(t, e, sync)
		}
		e.Start()
	}
	var all []*amid
	for round := range rounds {
		kill(nil, 25*time.Millisecond)
		var as []*amid
		for i := range 6 {
			as = append(as, newAmid(t, e, round, i))
		}
		for _, a := range as {
			a.subscribeAmid(t)
		}
		for _, a := range as {
			told += a.firstMessage(t)
		}
		if kill(as, 0); round%2 == 0 { // and what the next life has made of it is read by a third one
			for _, a := range as {
				a.s.back(t, true)
				must(t, a.s.ping())
			}
			kill(as, 0)
		}
		for _, a := range as {
			must(t, a.p.insist(20*time.Second))
			last := a.messages(len(amidTopics))
			a.p.must(t, last...)
			var wanted []string
			for _, m := range last {
				wanted = append(wanted, m.Payload)
			}
			a.s.returns(t, wanted)
			a.proper(t)
			if _, twice := lostAndTwice(nil, a.s.payloads(2)); len(twice) > 0 {
				t.Errorf("%s got twice with QoS 2: %s", a.s.login.ID, some(twice))
			}
			if lost, _ := lostAndTwice(wanted, a.s.payloads(2)); len(lost) > 0 {
				t.Errorf("%s did not get %s", a.s.login.ID, some(lost))
			}
			a.p.leave()
			a.s.leave()
		}
		all = append(all, as...)
	}
	if told == 0 {
		t.Error("no message came to a new subscription before the gateway was killed: the test shows nothing")
	}
	var acked []string
	for _, a := range all {
		acked = append(acked, a.p.payloads(2)...)
	}
	other.returns(t, acked)
	other.proper(t)
	lost, doubled := lostAndTwice(acked, other.payloads(2))
	if len(lost)+len(doubled) > 0 {
		t.Errorf("other: lost %s, doubled %s", some(lost), some(doubled))
	}
	settled(t, e)
	verdict.Verdict{Fault: fmt.Sprintf("sessions: kill -9, %d times, %d subscriptions made amid publishes", kills, len(all)), Acked: int64(len(acked)),
		Lost: int64(len(lost)), Doubled: int64(len(doubled)), Expected: fmt.Sprintf("%d had a message of theirs before", told)}.Holds(t)
}

// amid is a publisher, and a subscriber that comes amid its publishes.
type amid struct {
	p     *publisher
	s     *subscriber
	root  string
	n     int // of messages
	first int // of those that came to the new subscription before the gateway was killed
}

const before = 4 // messages that the broker had taken when the subscription was sent

// proper reports what the broker must not have done. A publish that the broker is taking in the moment in which the subscription comes into force may be given to it after a crash
// only, and late (ADR 14); the broker had taken those before, and those behind the first that came belong to the subscription.
func (a *amid) proper(t *testing.T) {
	t.Helper()
	for _, late := range append(a.s.wrong, outOfOrder(a.s.got)...) {
		if n, err := strconv.Atoi(late[strings.LastIndexByte(late, ' ')+1:]); err == nil && n > before && n < a.first {
			continue
		}
		t.Errorf("client %s: wrong, or out of order: %s; the first that came was %d", a.s.login.ID, late, a.first)
	}
}

var amidTopics = []string{"a", "b"}

func newAmid(t *testing.T, e *harness.Edged, round, i int) *amid {
	t.Helper()
	name := fmt.Sprintf("%d-%d", round, i)
	root := []string{"free", "site", "both"}[i%3] // stored for sessions alone, for one receiver, for two
	a := &amid{root: root + "/amid/" + name + "/", p: newPublisher(e, i < 3, "pub"+name), s: newSubscriber(e, i%2 == 0, "sub"+name)}
	must(t, a.p.come())
	switch a.s.begin(t, 1); (round + i) % 3 {
	case 1:
		a.s.ask(t, "something/else", 2)
	case 2:
		a.s.ask(t, a.root+amidTopics[1], 1)
	}
	return a
}

// messages are the next n.
func (a *amid) messages(n int) (ms []rawmqtt.Publish) {
	for range n {
		topic := a.root + amidTopics[a.n%len(amidTopics)]
		a.n++
		ms = append(ms, rawmqtt.Publish{Topic: topic, QoS: 2, Payload: fmt.Sprintf("%s %06d", topic, a.n)})
	}
	return ms
}

// subscribeAmid publishes, subscribes, and publishes on; nobody waits for what is durable. The broker has taken each part of that before the next one
// is sent, but for the subscription: it is in force soon.
func (a *amid) subscribeAmid(t *testing.T) {
	t.Helper()
	a.publish(t, before)
	_, err := a.s.w.Write(rawmqtt.Subscribe(a.s.login.V5, 77, a.root+"#", 2))
	must(t, err)
	for range 5 {
		a.publish(t, 2)
	}
}

func (a *amid) publish(t *testing.T, n int) {
	t.Helper()
	must(t, a.p.send(a.messages(n)...))
	_, err := a.p.w.Write([]byte{0xC0, 0})
	must(t, err)
	for kind := byte(0); kind != 0xD0; {
		f, err := a.p.w.TryRead(rawmqtt.Patience)
		must(t, err)
		if kind = f.Kind; kind == 0x50 && !slices.ContainsFunc(a.p.acked, func(m rawmqtt.Publish) bool { return m.ID == f.ID() }) {
			l := a.p.open[a.p.find(f.ID())]
			l.received = true
			a.p.acked = append(a.p.acked, l.Publish)
		}
	}
}

// firstMessage waits for the first message of QoS 2 that comes to the subscriber. It is 0 if none does, because the subscription was in force too late.
func (a *amid) firstMessage(t *testing.T) int {
	t.Helper()
	for len(a.s.payloads(2)) == 0 {
		if f, err := a.s.step(2 * time.Second); err != nil || f.Kind == 0x90 && f.Codes()[0] > 2 {
			return 0
		}
	}
	text := a.s.payloads(2)[0]
	n, err := strconv.Atoi(text[strings.LastIndexByte(text, ' ')+1:])
	must(t, err)
	a.first = n
	return 1
}
