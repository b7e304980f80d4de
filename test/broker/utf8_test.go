package broker

import (
	"fmt"
	"strings"
	"testing"

	"edged/test/rawmqtt"
)

// ill are strings that no packet may have: not UTF-8, and U+0000.
var ill = []string{"a\xC3(", "\xED\xA0\x80", "\xED\xBF\xBF", "\xC0\x80", "\xC1\xBF", "\xF4\x90\x80\x80", "\xF8\x88\x80\x80\x80", "\xE2\x82", "\x80", "\xFF", "a\x00b"}

func TestStringsOfConnect(t *testing.T) {
	shows(t, "v3:MQTT-1.5.3-1", "v3:MQTT-1.5.3-2", "v3:MQTT-3.1.3-4", "v3:MQTT-3.1.3-10", "v3:MQTT-3.1.3-11", "v3:MQTT-4.7.3-2",
		"v5:MQTT-1.5.4-1", "v5:MQTT-1.5.4-2", "v5:MQTT-1.5.7-1", "v5:MQTT-3.1.3-4", "v5:MQTT-3.1.3-11", "v5:MQTT-3.1.3-12")
	both(t, func(t *testing.T, v5 bool) {
		for _, s := range ill {
			for name, o := range map[string]rawmqtt.Connect{
				"client identifier": {ID: s},
				"will topic":        {ID: fresh(), Will: s},
				"user":              {ID: fresh(), User: s},
				"user property":     {ID: fresh(), Props: rawmqtt.User("a", s)},
				"its name":          {ID: fresh(), Props: rawmqtt.User(s, "a")},
				"of the will":       {ID: fresh(), Will: "x", WillProps: rawmqtt.User("a", s)},
				"content type":      {ID: fresh(), Will: "x", WillProps: rawmqtt.Str(0x03, s)},
				"response topic":    {ID: fresh(), Will: "x", WillProps: rawmqtt.Str(0x08, s)},
			} {
				if o.V5 = v5; !v5 && o.Props == nil && o.WillProps == nil || v5 {
					t.Run(fmt.Sprintf("%s %q", name, s), func(t *testing.T) {
						t.Parallel()
						refused(t, v5, o.Bytes(), either(v5, 0x81, 0x85, 0x90)...)
					})
				}
			}
		}
	})
}

func TestStringsOfPackets(t *testing.T) {
	shows(t, "v3:MQTT-1.5.3-1", "v3:MQTT-1.5.3-2", "v3:MQTT-3.3.2-1", "v3:MQTT-3.8.3-1", "v3:MQTT-3.10.3-1", "v3:MQTT-4.7.3-2",
		"v5:MQTT-1.5.4-1", "v5:MQTT-1.5.4-2", "v5:MQTT-1.5.7-1", "v5:MQTT-3.3.2-1", "v5:MQTT-3.3.2-13", "v5:MQTT-3.3.2-19", "v5:MQTT-3.8.3-1", "v5:MQTT-3.10.3-1", "v5:MQTT-4.7.3-2")
	both(t, func(t *testing.T, v5 bool) {
		topic := fresh()
		for _, s := range ill {
			pub := func(props []byte) []byte {
				return rawmqtt.Publish{Topic: topic, Props: props, QoS: 1, ID: 1}.Bytes(true)
			}
			cases := map[string][]byte{
				"topic":              rawmqtt.Publish{Topic: topic + s}.Bytes(v5),
				"topic, QoS 2":       rawmqtt.Publish{Topic: topic + s, QoS: 2, ID: 1}.Bytes(v5),
				"filter":             rawmqtt.Subscribe(v5, 1, topic+s, 0),
				"filter behind #":    rawmqtt.Subscription(v5, 1, nil, rawmqtt.Filter{Name: topic + "/#"}, rawmqtt.Filter{Name: topic + s}),
				"unsubscribe filter": rawmqtt.Unsubscribe(v5, 1, topic+s),
			}
			if v5 {
				cases["content type"] = pub(rawmqtt.Str(0x03, s))
				cases["response topic"] = pub(rawmqtt.Str(0x08, s))
				cases["user property"] = pub(rawmqtt.User("a", s))
				cases["its name"] = pub(rawmqtt.User(s, "a"))
				cases["reason of DISCONNECT"] = rawmqtt.Packet(0xE0, append([]byte{0}, rawmqtt.Props(rawmqtt.Str(0x1F, s))...))
				cases["reason of PUBACK"] = rawmqtt.Packet(0x40, append([]byte{0, 1, 0}, rawmqtt.Props(rawmqtt.Str(0x1F, s))...))
				cases["property of SUBSCRIBE"] = rawmqtt.Subscription(true, 1, rawmqtt.User("a", s), rawmqtt.Filter{Name: topic})
			}
			for name, b := range cases {
				t.Run(fmt.Sprintf("%s %q", name, s), func(t *testing.T) {
					t.Parallel()
					w := client(t, v5)
					w.Send(b)
					violated(t, w, 0x81, 0x82, 0x8F, 0x90)
				})
			}
		}
	})
}

// Whatever else is a string is taken byte for byte.
func TestStringsAreNotChanged(t *testing.T) {
	shows(t, "v3:MQTT-1.5.3-3", "v3:MQTT-4.7.3-4", "v5:MQTT-1.5.4-3", "v5:MQTT-4.7.3-4")
	both(t, func(t *testing.T, v5 bool) {
		for _, s := range []string{"\uFEFFx", "x\uFEFF", "\U0001F321", "\u00E9", "e\u0301", " ", "\\", "%2F"} {
			w, topic := client(t, v5), fresh()+"/"
			granted(t, w, topic+s, 0, 0)
			granted(t, w, topic+"end", 0, 0)
			w.Publish(rawmqtt.Publish{Topic: topic + strings.TrimPrefix(s, "\uFEFF") + "y"}, rawmqtt.Publish{Topic: topic + s, Payload: s}, rawmqtt.Publish{Topic: topic + "end"})
			next(t, w, topic+s, s, 0)
			next(t, w, topic+"end", "", 0)
		}
	})
}

func TestLongNames(t *testing.T) {
	shows(t, "v3:MQTT-4.7.3-3", "v5:MQTT-4.7.3-3")
	both(t, func(t *testing.T, v5 bool) {
		w, topic := client(t, v5), fresh()
		topic += strings.Repeat("x", 65535-len(topic))
		granted(t, w, topic, 0, 0)
		w.Publish(rawmqtt.Publish{Topic: topic, Payload: "x"})
		next(t, w, topic, "x", 0)
		w.Publish(rawmqtt.Publish{Topic: topic[:65534], Payload: "x"})
		w.Quiet()
	})
}
