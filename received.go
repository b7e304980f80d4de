package edged

import "encoding/binary"

// SpaceReceived is the space of the QoS 2 publishes that were stored and not released by their clients. The store writes them with their
// blocks (Origin.Copies); whoever handles PUBREL deletes them with a Put.
const SpaceReceived = "received"

// Key is the key of a publish in SpaceReceived: the client, NUL, and the packet identifier.
func (o Origin) Key() string {
	return o.Client + string(binary.BigEndian.AppendUint16([]byte{0}, o.PacketID))
}

// ReceivedFrom takes a key and a value of SpaceReceived apart. Copies is the number of those that are missing: if there are any the message
// was not received, and a repeat of it is to be taken.
func ReceivedFrom(key string, value []byte) (o Origin, ok bool) {
	n := len(key) - 3
	if n < 0 || key[n] != 0 || len(value) != 1 {
		return Origin{}, false
	}
	return Origin{Client: key[:n], PacketID: binary.BigEndian.Uint16([]byte(key[n+1:])), Copies: value[0]}, true
}
