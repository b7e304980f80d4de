package broker

import (
	"fmt"
	"reflect"
	"testing"

	"edged"
	"edged/broker/record"
	"edged/test/await"
	"edged/test/rawmqtt"
)

// TestSubscriptionsSayWhenTheyWereSure: what is written of a subscription says where the log ended when it was made, and with the commit that made it, and
// so of each change of its QoS; whatever changes nothing changes nothing of that.
func TestSubscriptionsSayWhenTheyWereSure(t *testing.T) {
	b := newBook(nil)
	s := kept(t, b, false, nil)
	w, _ := connect(t, s, away1)
	log := func() { // a message, which is in the next commit
		t.Helper()
		if err := b.open[0].Take(t.Context(), &edged.Message{Topic: "a", Payload: []byte("m"), QoS: 1}, nil, 0); err != nil {
			t.Fatal(err)
		}
	}
	ask := func(how room, code byte, filters ...rawmqtt.Filter) {
		t.Helper()
		log()
		w.Send(rawmqtt.Subscription(false, 7, nil, filters...))
		await.Soon(t, "it waits for its commit", func() bool { b.mu.Lock(); defer b.mu.Unlock(); return len(b.queue) > 0 })
		b.commit(how)
		if f := w.Read(); f.Kind != 0x90 || f.Codes()[0] != code {
			t.Fatalf("%v", f)
		}
	}
	is := func(filter string, want record.Subscription) {
		t.Helper()
		got, err := record.ParseSubscription(b.page.values[record.Subscriptions][record.SubscriptionKey("c1", filter)])
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v; want %+v", filter, got, err, want)
		}
	}
	a := func(qos byte) rawmqtt.Filter { return rawmqtt.Filter{Name: "a", Options: qos} }
	ask(enough, 1, a(1))
	is("a", record.Subscription{QoS: 1, Born: 1, Sure: 3})
	ask(enough, 1, a(1))
	is("a", record.Subscription{QoS: 1, Born: 1, Sure: 3})
	ask(enough, 2, a(2))
	raised := record.Subscription{QoS: 2, Born: 1, Sure: 3, Past: []record.Past{{QoS: 1, Until: 5, Sure: 7}}}
	is("a", raised)
	ask(reserve, 0x80, a(1))
	b.commit(enough)
	is("a", raised)
	ask(enough, 2, a(2))
	is("a", raised)
	end := b.End()
	s, b = crashed(t, s, b, false, nil)
	w, _ = connect(t, s, away1)
	ask(enough, 2, a(2))
	is("a", raised)
	ask(enough, 0, a(0))
	lowered := raised
	lowered.QoS, lowered.Past = 0, append(lowered.Past[:1:1], record.Past{QoS: 2, Until: end + 2, Sure: end + 4})
	is("a", lowered)
	ask(enough, 1, rawmqtt.Filter{Name: "b", Options: 1}, rawmqtt.Filter{Name: "b", Options: 1})
	is("b", record.Subscription{QoS: 1, Born: end + 4, Sure: end + 6})
	ask(enough, 1, rawmqtt.Filter{Name: "c", Options: 1}, rawmqtt.Filter{Name: "c", Options: 2})
	is("c", record.Subscription{QoS: 2, Born: end + 6, Past: []record.Past{{QoS: 1, Until: end + 6, Sure: end + 8}}})
	for i := range pastChanges + 1 {
		ask(enough, byte(1+i%2), rawmqtt.Filter{Name: "c", Options: byte(1 + i%2)})
	}
	got, _ := record.ParseSubscription(b.page.values[record.Subscriptions][record.SubscriptionKey("c1", "c")])
	if last := got.Past[len(got.Past)-1]; len(got.Past) != pastChanges || last.Sure != b.End() || fmt.Sprint(got.Past[0]) == fmt.Sprint(last) {
		t.Errorf("%+v", got)
	}
}
