package wire

import (
	"bytes"
	"slices"
	"testing"

	v3 "github.com/eclipse/paho.mqtt.golang/packets"
	"github.com/mochi-mqtt/server/v2/packets"
	"pgregory.net/rapid"

	"edged/test/rawmqtt"
)

func messages() *rapid.Generator[Message] {
	return rapid.Custom(func(t *rapid.T) Message {
		m := Message{
			Topic: rapid.StringMatching(`[a-z/é]{1,300}`).Draw(t, "topic"), Payload: rapid.SliceOf(rapid.Byte()).Draw(t, "payload"),
			QoS: rapid.ByteRange(0, 2).Draw(t, "qos"), Retain: rapid.Bool().Draw(t, "retain"), Alias: rapid.Uint16Range(0, 3).Draw(t, "alias"),
			SubIDs: rapid.SliceOfN(rapid.Uint32Range(1, MaxPacket), 0, 3).Draw(t, "ids"),
		}
		if m.QoS > 0 {
			m.ID, m.Dup = rapid.Uint16Min(1).Draw(t, "id"), rapid.Bool().Draw(t, "dup")
		}
		if rapid.Bool().Draw(t, "expires") {
			m.HasExpiry, m.Expiry = true, rapid.Uint32Min(1).Draw(t, "expiry")
		}
		for range rapid.IntRange(0, 2).Draw(t, "users") {
			m.Props = append(m.Props, rawmqtt.User(rapid.StringMatching(`[a-zé]{0,5}`).Draw(t, "k"), "v")...)
		}
		return m
	})
}

// What is encoded is what a library of somebody else reads.
func TestAnotherLibraryReadsOurMessages(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := messages().Draw(t, "message")
		for _, v5 := range []bool{false, true} {
			b := m.Append(nil, v5)
			if len(b) != m.Size(v5) {
				t.Fatalf("%d bytes, and Size says %d", len(b), m.Size(v5))
			}
			if !v5 {
				got, err := v3.ReadPacket(bytes.NewReader(b))
				p, ok := got.(*v3.PublishPacket)
				if err != nil || !ok || p.TopicName != m.Topic || !bytes.Equal(p.Payload, m.Payload) || p.MessageID != m.ID || p.Qos != m.QoS || p.Dup != m.Dup || p.Retain != m.Retain {
					t.Fatalf("%+v %v", got, err)
				}
				continue
			}
			pk := packets.Packet{ProtocolVersion: 5}
			body := bytes.NewBuffer(b[1:])
			n, _, err := packets.DecodeLength(body)
			if err != nil || n != body.Len() || pk.FixedHeader.Decode(b[0]) != nil {
				t.Fatal(n, body.Len(), err)
			}
			if err := pk.PublishDecode(body.Bytes()); err != nil {
				t.Fatal(err)
			}
			q := &pk.Properties
			var users int
			for w, r := (walk{in: reader{b: m.Props}, allowed: inPublish}), (&reader{}); w.next(r); {
				users++
			}
			if pk.TopicName != m.Topic || !bytes.Equal(pk.Payload, m.Payload) || pk.PacketID != m.ID || pk.FixedHeader.Qos != m.QoS || q.TopicAlias != m.Alias ||
				q.MessageExpiryInterval != m.Expiry || len(q.SubscriptionIdentifier) != len(m.SubIDs) || len(q.User) != users {
				t.Fatalf("%+v", pk)
			}
		}
	})
}

// What a subscriber gets of a message is what its publisher sent: the properties that pass are the same bytes in the same order.
func TestAMessageIsTheSameAfterTheGate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := messages().Draw(t, "message")
		m.SubIDs = nil
		f, size, err := Next(m.Append(nil, true), MaxPacket)
		if err != nil || size != m.Size(true) {
			t.Fatal(size, err)
		}
		var p Publish
		if m.QoS == 0 {
			m.Dup = false
		}
		if err := p.Decode(f, true); err != nil {
			t.Fatal(err)
		}
		if string(p.Topic) != m.Topic || !bytes.Equal(p.Payload, m.Payload) || !bytes.Equal(p.Props, m.Props) || p.ID != m.ID || p.QoS != m.QoS || p.Dup != m.Dup ||
			p.Retain != m.Retain || p.HasAlias != (m.Alias > 0) || p.Alias != m.Alias || p.HasExpiry != m.HasExpiry || p.Expiry != m.Expiry {
			t.Fatalf("%+v became %+v", m, p)
		}
	})
}

func TestConnackIsReadByAnotherLibrary(t *testing.T) {
	c := Connack{Present: true, ReceiveMaximum: 256, MaxPacketSize: 1 << 18, AliasMaximum: 16, AssignedClientID: "auto", SessionExpiry: 60, HasExpiry: true, KeepAlive: 30, HasKeepAlive: true}
	b := c.Append(nil, true)
	pk := packets.Packet{ProtocolVersion: 5, FixedHeader: packets.FixedHeader{Type: packets.Connack}}
	if err := pk.ConnackDecode(b[2:]); err != nil {
		t.Fatal(err)
	}
	q := pk.Properties
	if !pk.SessionPresent || q.ReceiveMaximum != 256 || q.MaximumPacketSize != 1<<18 || q.TopicAliasMaximum != 16 || q.AssignedClientID != "auto" || q.SessionExpiryInterval != 60 || q.ServerKeepAlive != 30 {
		t.Errorf("%+v", pk)
	}
	for code, want := range map[byte]byte{Success: 0, UnsupportedVersion: 1, BadClientID: 2, ServerBusy: 3, BadLogin: 4, NotAuthorized: 5} {
		if got := (&Connack{Code: code}).Append(nil, false); !slices.Equal(got, []byte{0x20, 2, 0, want}) {
			t.Errorf("%02X: %X", code, got)
		}
	}
	if got := (&Connack{Code: BadLogin}).Append(nil, true); !slices.Equal(got, []byte{0x20, 3, 0, BadLogin, 0}) {
		t.Errorf("%X", got)
	}
}

func TestDecodingAPublishAllocatesNothing(t *testing.T) {
	all := valid()
	var p Publish
	for name, b := range map[string][]byte{"publish 4": all["publish 4"], "publish 5": all["publish 5"]} {
		f, _, _ := Next(b, MaxPacket)
		_ = p.Decode(f, name == "publish 5")
		if n := testing.AllocsPerRun(100, func() {
			f, _, _ := Next(b, MaxPacket)
			if p.Decode(f, name == "publish 5") != nil {
				t.Fatal("it is valid")
			}
		}); n > 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// FuzzPackets: no bytes make the decoder panic or read beyond the packet, and what it takes it can write again.
func FuzzPackets(f *testing.F) {
	for _, b := range valid() {
		f.Add(b, true)
		f.Add(b, false)
	}
	f.Fuzz(func(t *testing.T, b []byte, v5 bool) {
		if err := decode(b, v5); err != nil {
			return
		}
		fr, size, _ := Next(b, 1<<20)
		if size > len(b) || len(fr.Body) > size {
			t.Fatalf("a packet of %d bytes in %d", size, len(b))
		}
		if fr.Type() != PUBLISH {
			return
		}
		var p, again Publish
		_ = p.Decode(fr, v5)
		m := Message{Topic: string(p.Topic), Payload: p.Payload, Props: p.Props, ID: p.ID, Alias: p.Alias, QoS: p.QoS, Dup: p.Dup, Retain: p.Retain, Expiry: p.Expiry, HasExpiry: p.HasExpiry}
		out, _, err := Next(m.Append(nil, v5), MaxPacket)
		if err != nil || p.HasAlias && p.Alias == 0 {
			return
		}
		if err := again.Decode(out, v5); err != nil || !bytes.Equal(again.Props, p.Props) || !bytes.Equal(again.Payload, p.Payload) || !bytes.Equal(again.Topic, p.Topic) {
			t.Fatalf("%+v became %+v: %v", p, again, err)
		}
	})
}
