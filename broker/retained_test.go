package broker

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"edged/test/await"
	"edged/test/rawmqtt"

	"pgregory.net/rapid"

	"edged"
)

func retainedSeen(t *testing.T, s *server, filter string) (out []string) {
	t.Helper()
	w, _ := connect(t, s, rawmqtt.Connect{ID: fmt.Sprint("see", time.Now().UnixNano())})
	w.Subscribe(1, filter, 1)
	w.Send([]byte{0xC0, 0})
	for f := w.Read(); f.Kind == 0x30; f = w.Read() {
		m := published(t, f)
		if !m.Retain {
			t.Fatalf("%+v", m)
		}
		out = append(out, m.Topic+"="+m.Payload)
	}
	w.Disconnect()
	slices.Sort(out)
	return out
}

func TestRetainedMessagesAreDurableBeforeAnybodySeesThem(t *testing.T) {
	d := newDisk(false)
	r := commits(t)
	s := start(t, setup{attach: handlers(r), retained: d})
	w, _ := connect(t, s, rawmqtt.Connect{ID: "c"})
	w.Publish(rawmqtt.Publish{Topic: "site/1", QoS: 1, ID: 1, Retain: true, Payload: "x"}, rawmqtt.Publish{Topic: "other", Retain: true, Payload: "y"})
	r.has(t, 1)
	await.Soon(t, "the changes are put", func() bool { return d.waiting() == 2 })
	w.Quiet()
	if got := retainedSeen(t, s, "#"); len(got) != 0 {
		t.Fatal(got)
	}
	d.commit(9, nil)
	w.Acks(0x40, 1)
	if got := retainedSeen(t, s, "#"); !slices.Equal(got, []string{"other=y", "site/1=x"}) {
		t.Fatal(got)
	}
	w.Publish(rawmqtt.Publish{Topic: "site/1", QoS: 1, ID: 2, Retain: true, Payload: "z"})
	await.Soon(t, "the change is put", func() bool { return d.waiting() == 1 })
	d.commit(1, errors.New("EIO"))
	w.Ended()
	if got := retainedSeen(t, s, "site/1"); !slices.Equal(got, []string{"site/1=x"}) {
		t.Fatal(got)
	}
}

func TestRetainedMessagesSurviveARestart(t *testing.T) {
	t.Parallel()
	d := newDisk(true)
	s := start(t, setup{retained: d})
	w, _ := connect(t, s, rawmqtt.Connect{ID: "c", V5: true})
	user := rawmqtt.User("k", "v")
	all := slices.Concat([]byte{1, 1}, rawmqtt.Str(3, "type"), rawmqtt.Str(8, "reply/to"), rawmqtt.Str(9, "corr"), user)
	w.Publish(rawmqtt.Publish{Topic: "a/b", QoS: 1, ID: 1, Retain: true, Payload: "one", Props: all},
		rawmqtt.Publish{Topic: "a", QoS: 2, ID: 2, Retain: true, Payload: "two"},
		rawmqtt.Publish{Topic: "zero", Retain: true, Payload: "three"}, rawmqtt.Publish{Topic: "gone", QoS: 1, ID: 3, Retain: true, Payload: "x"},
		rawmqtt.Publish{Topic: "gone", QoS: 1, ID: 4, Retain: true},
		rawmqtt.Publish{Topic: "short", QoS: 1, ID: 5, Retain: true, Payload: "x", Props: rawmqtt.U32(2, 2)})
	w.Acks(0x40, 1)
	w.Acks(0x50, 2)
	w.Acks(0x40, 3, 4, 5)
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	if got := d.topics(t); !slices.Equal(got, []string{"a", "a/b", "short", "zero"}) {
		t.Fatalf("on disk: %q, want no $SYS and no deleted one", got)
	}
	d.values["broken"] = []byte("what is this")
	short, err := decodeRetained(d.values["short"])
	if err != nil {
		t.Fatal(err)
	}
	await.Soon(t, "it expires", short.expired)
	s = start(t, setup{retained: d})
	if got := retainedSeen(t, s, "#"); !slices.Equal(got, []string{"a/b=one", "a=two", "zero=three"}) {
		t.Fatal(got)
	}
	if got := retainedSeen(t, s, "a/#"); !slices.Equal(got, []string{"a/b=one", "a=two"}) {
		t.Fatalf("%q: a/# matches a as well [MQTT-4.7.1-2]", got)
	}
	await.Soon(t, "the broken one is reported", func() bool { return s.log.Count("broken") > 0 })
	if s.Status().Retained != 3 {
		t.Fatalf("%+v", s.Status())
	}
	w, _ = connect(t, s, rawmqtt.Connect{ID: "d", V5: true})
	w.Subscribe(1, "a/b", 2)
	if m := w.Message(); m.QoS != 1 || m.Props != string(all) {
		t.Fatalf("%+v\nwant props %q", m, all)
	}
	if got := d.topics(t); !slices.Equal(got, []string{"a", "a/b", "broken", "zero"}) {
		t.Fatalf("on disk: %q: what expired is deleted, what is broken is left", got)
	}
}

func TestExpiredRetainedMessagesAreDeleted(t *testing.T) {
	t.Parallel()
	d := newDisk(true)
	s := start(t, setup{retained: d})
	w, _ := connect(t, s, rawmqtt.Connect{ID: "c", V5: true})
	w.Publish(rawmqtt.Publish{Topic: "a", QoS: 1, ID: 1, Retain: true, Payload: "x", Props: rawmqtt.U32(2, 1)})
	w.Acks(0x40, 1)
	await.Soon(t, "it is deleted", func() bool { return len(d.topics(t)) == 0 && s.Status().Retained == 0 })
}

func TestTheBytesOfRetainedMessagesAreBounded(t *testing.T) {
	s := start(t, setup{cfg: func(c *Config) { c.MaxRetainedBytes = 100 }})
	w, _ := connect(t, s, rawmqtt.Connect{ID: "five", V5: true})
	publish := func(id uint16, topic string, bytes int, want byte) {
		t.Helper()
		w.Publish(rawmqtt.Publish{Topic: topic, QoS: 1, ID: id, Retain: true, Payload: strings.Repeat("x", bytes)})
		if f := w.Read(); f.Kind != 0x40 || f.Code() != want {
			t.Errorf("%d bytes on %s: %v, want %02X", bytes, topic, f, want)
		}
	}
	publish(1, "a", 60, 0)
	publish(2, "b", 60, 0x97)
	publish(3, "a", 90, 0) // takes its own place
	publish(4, "a", 0, 0)
	publish(5, "b", 60, 0)
	if got := s.retained.bytes; got != 61 {
		t.Errorf("%d bytes are counted", got)
	}
}

func TestThePropertiesOfRetainedMessagesCount(t *testing.T) {
	s := start(t, setup{cfg: func(c *Config) { c.MaxRetainedBytes = 100 }})
	w, _ := connect(t, s, rawmqtt.Connect{ID: "five", V5: true})
	props := rawmqtt.User("k", strings.Repeat("v", 54)) // 60 bytes
	w.Publish(rawmqtt.Publish{Topic: "a", QoS: 1, ID: 1, Retain: true, Payload: "x", Props: props},
		rawmqtt.Publish{Topic: "b", QoS: 1, ID: 2, Retain: true, Payload: "x", Props: props})
	w.Acks(0x40, 1)
	if f := w.Read(); f.Code() != 0x97 {
		t.Errorf("%v: a further one is retained", f)
	}
	if st := s.Status(); st.Retained != 1 || st.RetainedBytes != 62 {
		t.Errorf("%+v", st)
	}
}

func TestTheNumberOfRetainedMessagesIsBounded(t *testing.T) {
	r := commits(t)
	s := start(t, setup{attach: handlers(r), cfg: func(c *Config) { c.MaxRetained = 1 }})
	five, _ := connect(t, s, rawmqtt.Connect{ID: "five", V5: true})
	three, _ := connect(t, s, rawmqtt.Connect{ID: "three"})
	five.Publish(rawmqtt.Publish{Topic: "site/1", QoS: 1, ID: 1, Retain: true, Payload: "a"})
	five.Acks(0x40, 1)
	five.Publish(rawmqtt.Publish{Topic: "site/1", QoS: 1, ID: 2, Retain: true, Payload: "b"},
		rawmqtt.Publish{Topic: "site/2", QoS: 2, ID: 3, Retain: true, Payload: "c"})
	five.Acks(0x40, 2) // the one that is there can change
	if f := five.Read(); f.Kind != 0x50 || f.Code() != 0x97 {
		t.Fatal(f)
	}
	three.Publish(rawmqtt.Publish{Topic: "site/2", QoS: 1, ID: 1, Retain: true, Payload: "d"})
	three.Acks(0x40, 1)
	if got := r.has(t, 3); !slices.Equal(got, []string{"a", "b", "d"}) {
		t.Fatal(got)
	}
	if got := retainedSeen(t, s, "#"); !slices.Equal(got, []string{"site/1=b"}) {
		t.Fatal(got)
	}
	await.Soon(t, "it is said", func() bool { return s.log.Count("max_retained") > 0 })
	if st := s.Status(); st.NotRetained != 2 {
		t.Fatalf("%+v", st)
	}
	five.Publish(rawmqtt.Publish{Topic: "site/1", QoS: 1, ID: 4, Retain: true}, rawmqtt.Publish{Topic: "site/2", QoS: 1, ID: 5, Retain: true, Payload: "e"})
	five.Acks(0x40, 4, 5)
	if got := retainedSeen(t, s, "#"); !slices.Equal(got, []string{"site/2=e"}) {
		t.Fatal(got)
	}
}

// A message that is renewed after it was found expired stays.
func TestTheSweepLeavesWhatIsRenewed(t *testing.T) {
	d := newDisk(false)
	r := &start(t, setup{retained: d}).retained
	put := func(topic, payload string, expiry int64) {
		r.put(&message{topic: topic, payload: []byte(payload), retain: true, expiry: expiry}, func(error) {})
	}
	for _, topic := range []string{"durable", "under way", "over"} {
		put(topic, "old", 1)
	}
	d.commit(3, nil)
	gone := r.expired()
	put("durable", "new", 0)
	d.commit(1, nil)
	put("under way", "new", 0)
	for _, topic := range gone {
		r.remove(topic)
	}
	d.commit(1<<30, nil)
	if got := d.topics(t); len(gone) != 3 || !slices.Equal(got, []string{"durable", "under way"}) {
		t.Errorf("on disk are %q", got)
	}
	for _, topic := range []string{"durable", "under way"} {
		if got := r.match(topic, 0); len(got) != 1 || string(got[0].payload) != "new" {
			t.Errorf("%s: %v", topic, got)
		}
	}
}

// Whatever is put, in whatever order it becomes durable or fails: what is on disk is shown.
func TestWhatIsRetainedFollowsTheDisk(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := newDisk(false)
		r := bare(t, d)
		t.Repeat(map[string]func(*rapid.T){
			"put": func(t *rapid.T) {
				m := &message{topic: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "topic"), payload: []byte(rapid.SampledFrom([]string{"", "x", "y", "z"}).Draw(t, "payload"))}
				r.put(m, func(error) {})
			},
			"commit": func(t *rapid.T) { d.commit(rapid.IntRange(1, 3).Draw(t, "n"), nil) },
			"fail":   func(t *rapid.T) { d.commit(rapid.IntRange(1, 3).Draw(t, "n"), edged.ErrFull) },
			"": func(t *rapid.T) {
				for _, topic := range []string{"a", "b"} {
					onDisk := ""
					if v, ok := d.values[topic]; ok {
						m, err := decodeRetained(v)
						if err != nil {
							t.Fatal(err)
						}
						onDisk = string(m.payload)
					}
					shown := ""
					for _, m := range r.match(topic, 0) {
						shown += string(m.payload)
					}
					if shown != onDisk {
						t.Fatalf("%s: %q is shown, the disk has %q", topic, shown, onDisk)
					}
				}
			},
		})
		d.commit(1<<30, nil)
		if n, _ := r.count(); n != len(d.values) || len(r.topics) != len(d.values) {
			t.Fatalf("counted %d, remembers %d topics, the disk has %d", n, len(r.topics), len(d.values))
		}
	})
}

func FuzzDecodeRetained(f *testing.F) {
	for _, m := range []*message{
		{topic: "a/b", payload: []byte("x"), qos: 1, expiry: 1000 << 33},
		{topic: "é", payload: []byte{0}, props: []byte{3, 0, 1, 't', 0x26, 0, 1, 'k', 0, 1, 'v'}},
	} {
		f.Add(encodeRetained(m))
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		m, err := decodeRetained(value)
		if err != nil || m.topic == "" {
			return
		}
		again, err := decodeRetained(encodeRetained(m))
		if err != nil || again.topic != m.topic || string(again.payload) != string(m.payload) || again.expiry != m.expiry || again.qos != m.qos {
			t.Fatalf("%+v became %+v: %v", m, again, err)
		}
	})
}
