package broker

import (
	"slices"
	"testing"
	"time"

	"edged/test/await"
	"edged/test/rawmqtt"

	"edged"
)

func TestWillsAreStoredRetainedAndDelivered(t *testing.T) {
	r, d := &receiver{}, newDisk(true)
	s := start(t, setup{attach: handlers(r), retained: d})
	sub, _ := connect(t, s, rawmqtt.Connect{ID: "sub"})
	sub.Subscribe(1, "#", 1)
	for i, v5 := range []bool{false, true} {
		w, _ := connect(t, s, rawmqtt.Connect{ID: "c", V5: v5, Will: "site/1", WillQoS: 1, WillRetain: true})
		w.Publish(rawmqtt.Publish{Topic: "site/1", QoS: 1, ID: 1, Payload: "last"})
		await.Soon(t, "it is taken", func() bool { return s.Status().AcksPending == 1 })
		_ = w.Close()
		await.Soon(t, "the will is taken", func() bool { return len(d.topics(t)) == 1 && r.count() == 2*(i+1) })
		sub.Quiet()
		r.commit(nil)
		if a, b := sub.Message(), sub.Message(); a.Payload != "last" || b.Payload != "gone" || b.QoS != 1 || b.Retain {
			t.Fatalf("%+v, %+v: the will comes last", a, b)
		}
	}
	if got := r.has(t, 4); !slices.Equal(got, []string{"last", "gone", "last", "gone"}) || !r.stored[1].Retain {
		t.Fatal(got)
	}
	if got := retainedSeen(t, s, "site/1"); !slices.Equal(got, []string{"site/1=gone"}) {
		t.Fatal(got)
	}
}

func TestAWillOfQoS0ComesAtOnce(t *testing.T) {
	r := &receiver{}
	s := start(t, setup{attach: handlers(r)})
	sub, _ := connect(t, s, rawmqtt.Connect{ID: "sub"})
	sub.Subscribe(1, "#", 1)
	w, _ := connect(t, s, rawmqtt.Connect{ID: "c", Will: "site/1"})
	_ = w.Close()
	if m := sub.Message(); m.Payload != "gone" || m.QoS != 0 {
		t.Fatalf("%+v", m)
	}
	r.has(t, 1)
}

func TestAProperGoodbyeHasNoWill(t *testing.T) {
	r := &receiver{}
	s := start(t, setup{attach: handlers(r)})
	w, _ := connect(t, s, rawmqtt.Connect{ID: "c", V5: true, Will: "site/1", WillQoS: 1})
	w.Disconnect()
	w, _ = connect(t, s, rawmqtt.Connect{ID: "d", V5: true, Will: "site/1", WillQoS: 1})
	w.Send([]byte{0xE0, 1, 4}) // disconnect with will message
	w.Ended()
	w, _ = connect(t, s, rawmqtt.Connect{ID: "d", V5: true, Will: "site/1", WillQoS: 1})
	w.Send([]byte{0xE0, 2, 0x80, 0}) // unspecified error
	w.Ended()
	w, _ = connect(t, s, rawmqtt.Connect{ID: "d", V5: true, Will: "site/1", WillQoS: 1})
	w.Send([]byte{0xE0, 1, 0})
	w.Ended()
	w, _ = connect(t, s, rawmqtt.Connect{ID: "e", V5: true, Will: "site/1", WillQoS: 1})
	w.Send([]byte{0x30, 0}) // a malformed packet
	w.Ended()
	r.has(t, 3)
	await.Soon(t, "all connections are gone", func() bool { return s.Status().Clients == 0 })
	r.has(t, 3)
}

func delay(seconds uint32) []byte { return rawmqtt.U32(0x18, seconds) }

func TestDelayedWills(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		o     rawmqtt.Connect
		after func(t *testing.T, s *server, o rawmqtt.Connect)
		want  int
		wait  time.Duration // at least, from the end of the connection
	}{
		{"its time comes", rawmqtt.Connect{Keep: true, Props: rawmqtt.U32(0x11, 100), WillProps: delay(1)}, nil, 1, time.Second},
		{"the session ends first, and is gone", rawmqtt.Connect{Keep: true, Props: rawmqtt.U32(0x11, 1), WillProps: delay(1000)}, nil, 1, time.Second},
		{"the session ends at once", rawmqtt.Connect{WillProps: delay(1000)}, nil, 1, 0},
		{"the client comes back", rawmqtt.Connect{Keep: true, Props: rawmqtt.U32(0x11, 100), WillProps: delay(1)}, func(t *testing.T, s *server, o rawmqtt.Connect) {
			o.Will, o.WillProps = "", nil
			connect(t, s, o)
			later := rawmqtt.Connect{ID: "later", V5: true, Keep: true, Props: rawmqtt.U32(0x11, 100), Will: "later", WillQoS: 1, WillProps: delay(1)}
			other := &receiver{}
			s.Attach("later", []string{"later"}, other)
			w, _ := connect(t, s, later)
			_ = w.Close()
			other.has(t, 1) // its delay began later, so the first one's has passed
		}, 0, 0},
		{"the client begins anew", rawmqtt.Connect{Keep: true, Props: rawmqtt.U32(0x11, 100), WillProps: delay(1000)}, func(t *testing.T, s *server, o rawmqtt.Connect) {
			o.Will, o.WillProps, o.Keep = "", nil, false
			connect(t, s, o)
		}, 1, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := &receiver{}
			s := start(t, setup{attach: handlers(r)})
			c.o.ID, c.o.V5, c.o.Will, c.o.WillQoS = "c", true, "site/1", 1
			w, _ := connect(t, s, c.o)
			began := time.Now()
			_ = w.Close()
			await.Soon(t, "the broker notices", func() bool { return s.Status().Clients == 0 })
			if c.after != nil {
				c.after(t, s, c.o)
			}
			r.has(t, c.want)
			if d := time.Since(began); d < c.wait {
				t.Fatalf("after %v, want %v", d, c.wait)
			}
		})
	}
}

func TestWillsAtATakeover(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name      string
		willProps []byte
		keep      bool // of the new connection
		want      int
	}{
		{"without a delay it is published", nil, true, 1},
		{"with a delay its client is back", delay(100), true, 0},
		{"with a delay and a clean start the session has ended", delay(100), false, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := &receiver{}
			s := start(t, setup{attach: handlers(r)})
			o := rawmqtt.Connect{ID: "c", V5: true, Keep: true, Props: rawmqtt.U32(0x11, 100), Will: "site/1", WillQoS: 1, WillProps: c.willProps}
			a, _ := connect(t, s, o)
			b, _ := connect(t, s, rawmqtt.Connect{ID: "c", V5: true, Keep: c.keep, Props: rawmqtt.U32(0x11, 100)})
			a.Ended()
			await.Soon(t, "the old connection is gone", func() bool {
				s.conns.mu.Lock()
				defer s.conns.mu.Unlock()
				return len(s.conns.all) == 1
			})
			b.Quiet()
			r.has(t, c.want)
		})
	}
}

func TestStoppingPublishesNoWills(t *testing.T) {
	r := &receiver{}
	s := start(t, setup{attach: handlers(r)})
	o := rawmqtt.Connect{ID: "a", V5: true, Keep: true, Props: rawmqtt.U32(0x11, 100), Will: "site/1", WillQoS: 1, WillProps: delay(100)}
	a, _ := connect(t, s, o)
	_ = a.Close()
	await.Soon(t, "the broker notices", func() bool { return s.Status().Clients == 0 })
	connect(t, s, rawmqtt.Connect{ID: "b", Will: "site/1"})
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	r.has(t, 0)
}

var _ edged.Handler = (*receiver)(nil)
