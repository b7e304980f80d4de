package broker

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/mochi-mqtt/server/v2/packets"
)

// The durable form of a retained message:
//
//	byte 0      the version of this form, 1
//	bytes 1–8   seconds since 1970 after which the message is no longer wanted, big endian; 0: never
//	the rest    an MQTT 5 PUBLISH packet as on the wire (MQTT 5, 3.3), with RETAIN = 1, DUP = 0, packet identifier 1 if
//	            QoS > 0, and without Message Expiry Interval
const retainedVersion = 1

var errRetainedForm = errors.New("not a retained message of this version")

func encodeRetained(m *message) ([]byte, error) {
	pk := m.packet(m.qos, true)
	pk.ProtocolVersion, pk.PacketID, pk.Mods.AllowResponseInfo = 5, 1, true
	buf := bytes.NewBuffer(binary.BigEndian.AppendUint64([]byte{retainedVersion}, uint64(m.expiry)))
	if err := pk.PublishEncode(buf); err != nil {
		return nil, fmt.Errorf("broker: retained message %q: %w", m.topic, err)
	}
	return buf.Bytes(), nil
}

// decodeRetained copies what it keeps of value.
func decodeRetained(value []byte) (*message, error) {
	if len(value) < 10 || value[0] != retainedVersion {
		return nil, errRetainedForm
	}
	pk := packets.Packet{ProtocolVersion: 5, Expiry: int64(binary.BigEndian.Uint64(value[1:9]))}
	if err := pk.FixedHeader.Decode(value[9]); err != nil || pk.FixedHeader.Type != packets.Publish {
		return nil, errRetainedForm
	}
	body := bytes.NewBuffer(bytes.Clone(value[10:]))
	n, _, err := packets.DecodeLength(body)
	if err != nil || n != body.Len() {
		return nil, errRetainedForm
	}
	if err := pk.PublishDecode(body.Bytes()); err != nil {
		return nil, fmt.Errorf("%w: %w", errRetainedForm, err)
	}
	return messageFrom(&pk), nil
}
