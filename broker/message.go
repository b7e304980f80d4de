package broker

import (
	"time"

	"github.com/mochi-mqtt/server/v2/packets"
)

// message is a publish on its way to subscribers. It is shared and not changed.
type message struct {
	topic   string
	payload []byte
	qos     byte
	retain  bool
	origin  string              // client id of the publisher, for No Local; "" for the gateway itself
	expiry  int64               // seconds since 1970 after which nobody wants it; 0: never
	props   *packets.Properties // what MQTT 5 passes on; nil if nothing
}

// messageOf makes a message of a client's PUBLISH, sharing its memory: the library reads each packet into memory of its
// own.
func messageOf(pk *packets.Packet, origin string) *message {
	m := &message{
		topic: pk.TopicName, payload: pk.Payload, qos: pk.FixedHeader.Qos, retain: pk.FixedHeader.Retain, origin: origin,
		props: forwarded(&pk.Properties),
	}
	if n := pk.Properties.MessageExpiryInterval; n > 0 {
		m.expiry = time.Now().Unix() + int64(n)
	}
	return m
}

// forwarded returns the properties of a PUBLISH that its subscribers get unaltered (MQTT 5, 3.3.2.3).
func forwarded(p *packets.Properties) *packets.Properties {
	if !p.PayloadFormatFlag && p.ContentType == "" && p.ResponseTopic == "" && p.CorrelationData == nil && p.User == nil {
		return nil
	}
	return &packets.Properties{
		PayloadFormat: p.PayloadFormat, PayloadFormatFlag: p.PayloadFormatFlag, ContentType: p.ContentType,
		ResponseTopic: p.ResponseTopic, CorrelationData: p.CorrelationData, User: p.User,
	}
}

// packet is the PUBLISH that the library encodes, or keeps as retained.
func (m *message) packet(qos byte, retain bool) packets.Packet {
	pk := packets.Packet{
		FixedHeader: packets.FixedHeader{Type: packets.Publish, Qos: qos, Retain: retain},
		TopicName:   m.topic, Payload: m.payload, Origin: m.origin, Expiry: m.expiry,
	}
	if m.props != nil {
		pk.Properties = *m.props
	}
	if m.expiry > 0 {
		pk.ProtocolVersion = 5 // or the library never looks at Expiry
	}
	return pk
}

func (m *message) expired() bool { return m.expiry > 0 && m.expiry <= time.Now().Unix() }

// messageFrom is the reverse of packet, for retained messages.
func messageFrom(pk *packets.Packet) *message {
	return &message{
		topic: pk.TopicName, payload: pk.Payload, qos: pk.FixedHeader.Qos, retain: true, origin: pk.Origin, expiry: pk.Expiry,
		props: forwarded(&pk.Properties),
	}
}
