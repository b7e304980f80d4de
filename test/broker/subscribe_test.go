package broker

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"edged/test/rawmqtt"
)

func TestSubackAnswersEveryFilter(t *testing.T) {
	shows(t, "v3:MQTT-3.8.4-1", "v3:MQTT-3.8.4-2", "v3:MQTT-3.8.4-4", "v3:MQTT-3.8.4-5", "v3:MQTT-3.9.3-1", "v3:MQTT-3.9.3-2", "v3:MQTT-2.3.1-7",
		"v5:MQTT-3.8.4-1", "v5:MQTT-3.8.4-2", "v5:MQTT-3.8.4-5", "v5:MQTT-3.8.4-6", "v5:MQTT-3.8.4-7", "v5:MQTT-3.9.3-1", "v5:MQTT-3.9.3-2",
		"v5:MQTT-2.2.1-6", "v5:MQTT-2.2.2-1", "v5:MQTT-3.2.2-10")
	both(t, func(t *testing.T, v5 bool) {
		w, topic := client(t, v5), fresh()
		for _, id := range []uint16{1, 256, 65535} {
			w.Send(rawmqtt.Subscription(v5, id, nil, rawmqtt.Filter{Name: topic + "/a", Options: 2}, rawmqtt.Filter{Name: topic + "/b", Options: 0},
				rawmqtt.Filter{Name: topic + "/+/c", Options: 1}))
			f := w.Read()
			if f.Kind != 0x90 || f.ID() != id || !bytes.Equal(f.Codes(), []byte{2, 0, 1}) {
				t.Fatalf("SUBACK %d is %v", id, f)
			}
			properties(t, f)
		}
		says(t, rawmqtt.Publish{Topic: topic + "/x/c", Payload: "1"})
		next(t, w, topic+"/x/c", "1", 1)
	})
}

// A filter that cannot be is refused alone; the others of its packet are subscribed to.
func TestInvalidFilters(t *testing.T) {
	shows(t, "v3:MQTT-4.7.1-2", "v3:MQTT-4.7.1-3", "v3:MQTT-3.8.4-5", "v5:MQTT-4.7.1-1", "v5:MQTT-4.7.1-2", "v5:MQTT-3.8.4-7")
	filters := []string{"bad#", "bad+/x", "#/x", "a/#/b", "+a", "a/b+", "##", "a/##", "++", "a/+b/c"}
	if !foreign() {
		filters = append(filters, fresh()+strings.Repeat("/x", 32), "$share//x", "$share/a", "$share/a/", "$share/a+/x", "$share/#/x", "$share/a/b#")
	}
	both(t, func(t *testing.T, v5 bool) {
		want := byte(0x80)
		if v5 {
			want = 0x8F
		}
		for _, filter := range filters {
			w, topic := client(t, v5), fresh()
			w.Send(rawmqtt.Subscription(v5, 3, nil, rawmqtt.Filter{Name: topic}, rawmqtt.Filter{Name: filter}, rawmqtt.Filter{Name: topic + "/#"}))
			f, err := w.TryRead(rawmqtt.Patience)
			if foreign() && (err != nil || f.Kind == 0xE0) {
				continue // it may take the packet for malformed
			}
			if err != nil || f.Kind != 0x90 || !bytes.Equal(f.Codes(), []byte{0, want, 0}) {
				t.Errorf("%s: %v %v", filter, f, err)
				continue
			}
			w.Publish(rawmqtt.Publish{Topic: topic + "/1"})
			next(t, w, topic+"/1", "", 0)
		}
	})
}

func TestMalformedSubscribes(t *testing.T) {
	shows(t, "v3:MQTT-3.8.1-1", "v3:MQTT-3.8.3-3", "v3:MQTT-3.8.3-4", "v3:MQTT-3.10.1-1", "v3:MQTT-3.10.3-2", "v3:MQTT-2.3.1-1", "v3:MQTT-2.2.2-2", "v3:MQTT-4.7.3-1",
		"v5:MQTT-3.8.1-1", "v5:MQTT-3.8.3-2", "v5:MQTT-3.8.3-4", "v5:MQTT-3.8.3-5", "v5:MQTT-3.10.1-1", "v5:MQTT-3.10.3-2", "v5:MQTT-2.2.1-3", "v5:MQTT-2.1.3-1",
		"v5:MQTT-4.7.3-1", "v5:MQTT-4.13.1-1")
	both(t, func(t *testing.T, v5 bool) {
		topic := fresh()
		flags := func(b []byte, first byte) []byte { b[0] = first; return b }
		sub := func(filter string, options byte) []byte { return rawmqtt.Subscribe(v5, 1, filter, options) }
		malformed, either := []byte{0x81}, []byte{0x81, 0x82}
		cases := map[string]struct {
			b     []byte
			codes []byte
		}{
			"SUBSCRIBE with flags 0":    {flags(sub(topic, 0), 0x80), malformed},
			"SUBSCRIBE with flags 3":    {flags(sub(topic, 0), 0x83), malformed},
			"SUBSCRIBE with flags 10":   {flags(sub(topic, 0), 0x8A), malformed},
			"SUBSCRIBE without filter":  {rawmqtt.Subscription(v5, 1, nil), either},
			"SUBSCRIBE, identifier 0":   {rawmqtt.Subscribe(v5, 0, topic, 0), either},
			"QoS 3":                     {sub(topic, 3), either},
			"bit 7":                     {sub(topic, 0x80), malformed},
			"bit 6":                     {sub(topic, 0x41), malformed},
			"without options":           {rawmqtt.Packet(0x82, sub(topic, 0)[2:len(sub(topic, 0))-1]), malformed},
			"empty filter":              {sub("", 0), []byte{0x81, 0x8F}},
			"half a filter":             {rawmqtt.Packet(0x82, sub(topic, 0)[2:8]), malformed},
			"UNSUBSCRIBE with flags 0":  {flags(rawmqtt.Unsubscribe(v5, 1, topic), 0xA0), malformed},
			"UNSUBSCRIBE with flags 1":  {flags(rawmqtt.Unsubscribe(v5, 1, topic), 0xA1), malformed},
			"UNSUBSCRIBE, no filter":    {rawmqtt.Unsubscription(v5, 1), either},
			"UNSUBSCRIBE, identifier 0": {rawmqtt.Unsubscribe(v5, 0, topic), either},
			"UNSUBSCRIBE, empty filter": {rawmqtt.Unsubscribe(v5, 1, ""), []byte{0x81, 0x8F}},
		}
		if v5 {
			id := func(b ...byte) []byte { return rawmqtt.Subscription(true, 1, b, rawmqtt.Filter{Name: topic}) }
			cases["retain handling 3"] = struct{ b, codes []byte }{sub(topic, 0x30), either}
			cases["No Local on a shared subscription"] = struct{ b, codes []byte }{sub("$share/g/"+topic, 4), either}
			cases["subscription identifier 0"] = struct{ b, codes []byte }{id(0x0B, 0), either}
			cases["subscription identifier twice"] = struct{ b, codes []byte }{id(0x0B, 1, 0x0B, 2), either}
		} else {
			cases["bit 2"] = struct{ b, codes []byte }{sub(topic, 4), nil} // options are of 5
		}
		for name, c := range cases {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				w := client(t, v5)
				w.Send(c.b)
				violated(t, w, c.codes...)
			})
		}
	})
}

// What matches and what does not; the names are used below a level of the case's own.
func TestMatching(t *testing.T) {
	shows(t, "v3:MQTT-3.3.2-3", "v3:MQTT-4.7.1-2", "v3:MQTT-4.7.1-3", "v3:MQTT-4.7.3-4", "v3:MQTT-3.8.3-2", "v3:MQTT-4.5.0-1", "v5:MQTT-3.3.2-3",
		"v5:MQTT-4.7.1-1", "v5:MQTT-4.7.1-2", "v5:MQTT-4.7.3-4", "v5:MQTT-4.5.0-1")
	topics := []string{"", "/", "/x", "/x/", "/x/y", "/x/y/z", "//", "/X", "/x ", "/é", "/e\u0301", "/x//y", "/$x"}
	matching := map[string][]string{ // by filter; both begin behind the case's level
		"":         {""},
		"/":        {"/"},
		"/x":       {"/x"},
		"/x/":      {"/x/"},
		"/#":       topics,
		"/x/#":     {"/x", "/x/", "/x/y", "/x/y/z", "/x//y"},
		"/+":       {"/", "/x", "/X", "/x ", "/é", "/e\u0301", "/$x"},
		"/+/":      {"/x/", "//"},
		"/+/y":     {"/x/y"},
		"/x/+":     {"/x/", "/x/y"},
		"/x/+/#":   {"/x/", "/x/y", "/x/y/z", "/x//y"},
		"/+/+/+":   {"/x/y/z", "/x//y"},
		"/é":       {"/é"},
		"/x//+":    {"/x//y"},
		"//#":      {"/", "//"},
		"/x/y/z/+": nil,
	}
	both(t, func(t *testing.T, v5 bool) {
		p := client(t, v5)
		for filter, want := range matching {
			w, root := client(t, v5), fresh()
			granted(t, w, root+filter, 0, 0)
			granted(t, w, root+"end", 0, 0)
			for _, topic := range topics {
				p.Publish(rawmqtt.Publish{Topic: root + topic, Payload: topic})
			}
			p.Publish(rawmqtt.Publish{Topic: root + "end"})
			var have []string
			for m := w.Message(); m.Topic != root+"end"; m = w.Message() {
				if m.Topic != root+m.Payload {
					t.Errorf("%s came as %s", root+m.Payload, m.Topic)
				}
				have = append(have, m.Payload)
			}
			if slices.Sort(have); fmt.Sprintf("%q", have) != fmt.Sprintf("%q", slices.Sorted(slices.Values(want))) {
				t.Errorf("%q matches %q, want %q", filter, have, want)
			}
		}
	})
}

func TestTheSameFilterAgain(t *testing.T) {
	shows(t, "v3:MQTT-3.8.4-3", "v5:MQTT-3.8.4-3", "v5:MQTT-3.8.4-4")
	both(t, func(t *testing.T, v5 bool) {
		w, topic := client(t, v5), fresh()
		says(t, rawmqtt.Publish{Topic: topic + "/kept", Payload: "kept", Retain: true})
		for _, qos := range []byte{0, 1, 0} {
			granted(t, w, topic+"/#", qos, qos)
			if m := next(t, w, topic+"/kept", "kept", qos); !m.Retain {
				t.Error("the retained message came with RETAIN 0")
			}
			says(t, rawmqtt.Publish{Topic: topic + "/x", Payload: "x"})
			next(t, w, topic+"/x", "x", qos)
			w.Quiet() // it came once
		}
	})
}

func TestOverlappingSubscriptions(t *testing.T) {
	shows(t, "v3:MQTT-3.3.5-1", "v5:MQTT-3.3.4-2", "v5:MQTT-3.3.4-3", "v5:MQTT-3.3.4-4")
	both(t, func(t *testing.T, v5 bool) {
		w, topic := client(t, v5), fresh()
		for i, f := range []rawmqtt.Filter{{Name: topic + "/#", Options: 0}, {Name: topic + "/+", Options: 2}, {Name: topic + "/x", Options: 1}} {
			var id []byte
			if i < 2 {
				id = append([]byte{0x0B}, rawmqtt.Varint(i+200)...)
			}
			w.Send(rawmqtt.Subscription(v5, 1, id, f))
			if ack := w.Read(); !bytes.Equal(ack.Codes(), []byte{f.Options}) {
				t.Fatal(ack)
			}
		}
		says2(t, topic+"/x", "x")
		best, ids, n := byte(0), []string{}, 0
		for f := w.Read(); f.Kind != 0xD0; f = w.Read() {
			m, ok := f.Message()
			if !ok {
				t.Fatal(f)
			}
			if n++; n == 1 {
				w.Send([]byte{0xC0, 0}) // what else there is comes before the answer
			}
			best = max(best, m.QoS)
			ids = append(ids, properties(t, f).All(0x0B)...)
		}
		if best != 2 || n != 1 && !foreign() {
			t.Errorf("%d deliveries with at most QoS %d", n, best)
		}
		slices.Sort(ids)
		if want := []string{string(rawmqtt.Varint(200)), string(rawmqtt.Varint(201))}; v5 && !slices.Equal(ids, want) {
			t.Errorf("subscription identifiers %X, want %X", ids, want)
		}
	})
}

func TestTooManySubscriptions(t *testing.T) {
	shows(t)
	decided(t)
	both(t, func(t *testing.T, v5 bool) {
		w, topic := client(t, v5), fresh()
		var fs []rawmqtt.Filter
		for i := range 1001 {
			fs = append(fs, rawmqtt.Filter{Name: fmt.Sprint(topic, "/", i)})
		}
		w.Send(rawmqtt.Subscription(v5, 1, nil, fs...))
		codes, want := w.Read().Codes(), byte(0x80)
		if v5 {
			want = 0x97
		}
		if len(codes) != 1001 || codes[999] != 0 || codes[1000] != want {
			t.Errorf("%d codes, the last two %X", len(codes), codes[len(codes)-2:])
		}
	})
}
