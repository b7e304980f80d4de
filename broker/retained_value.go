package broker

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"edged/broker/wire"
)

// The durable form of a retained message:
//
//	byte 0      the version of this form, 1
//	bytes 1–8   seconds since 1970 after which the message is no longer wanted, big endian; 0: never
//	the rest    an MQTT 5 PUBLISH packet as on the wire (MQTT 5, 3.3), with RETAIN = 1, DUP = 0, packet identifier 1 if
//	            QoS > 0, and without Message Expiry Interval
const retainedVersion = 1

var errRetainedForm = errors.New("not a retained message of this version")

func encodeRetained(m *message) []byte {
	out := binary.BigEndian.AppendUint64([]byte{retainedVersion}, uint64(inSeconds(m.expiry)))
	pk := wire.Message{Topic: m.topic, Payload: m.payload, Props: m.props, QoS: m.qos, Retain: true, ID: 1}
	return pk.Append(out, true)
}

// decodeRetained copies what it keeps of value.
func decodeRetained(value []byte) (*message, error) {
	if len(value) < 10 || value[0] != retainedVersion {
		return nil, errRetainedForm
	}
	f, size, err := wire.Next(value[9:], wire.MaxPacket)
	if err != nil || size != len(value)-9 || f.Type() != wire.PUBLISH {
		return nil, errRetainedForm
	}
	var p wire.Publish
	if err := p.Decode(f, true); err != nil {
		return nil, fmt.Errorf("%w: %w", errRetainedForm, err)
	}
	m := messageOf(&p, strings.Clone(string(p.Topic)), "")
	m.retain, m.expiry = true, 1000*int64(binary.BigEndian.Uint64(value[1:9])&(1<<53-1))
	return m, nil
}
