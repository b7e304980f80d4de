package edged

import (
	"encoding/binary"
	"math"
	"slices"
)

// SpaceReceived is the space of the QoS 2 publishes that were stored and not released by their clients. The store writes them with their
// blocks (Origin.Copies); whoever handles PUBREL deletes them with a Put.
const SpaceReceived = "received"

// Key is the key of a publish in SpaceReceived: the client, NUL, and the packet identifier.
func (o Origin) Key() string {
	return o.Client + string(binary.BigEndian.AppendUint16([]byte{0}, o.PacketID))
}

// Received is the value of a publish in SpaceReceived when a receiver's copy of it is stored, which may be the one that MQTT sessions read; before is
// the value until then, nil if there was none. As long as copies are missing it names the receivers whose copies are there, because a repeat is for the
// others alone. A publish that is newer than the one of the value takes its place, and an older one changes nothing.
//
// It is a byte, the number of missing copies; the publish's number as a varint; and if copies are missing a byte, 1 if sessions have theirs, and the
// names, each behind its length as a varint.
func (o Origin) Received(before []byte, receiver string, kept bool) []byte {
	r, ok := ReceivedFrom(o.Key(), before)
	switch {
	case ok && (r.Number > o.Number || r.Number == o.Number && r.Number > 0 && r.Missing == 0):
		return before
	case !ok || r.Number != o.Number || r.Missing == 0:
		r = Receipt{Number: o.Number}
	}
	if !slices.Contains(r.Stored, receiver) {
		r.Stored = append(r.Stored, receiver)
	}
	r.Kept = r.Kept || kept
	r.Missing = max(0, int(o.Copies)-len(r.Stored))
	value := binary.AppendUvarint([]byte{byte(min(r.Missing, math.MaxUint8))}, r.Number)
	if r.Missing == 0 {
		return value
	}
	value = append(value, 0)
	if r.Kept {
		value[len(value)-1] = 1
	}
	for _, name := range r.Stored {
		value = append(binary.AppendUvarint(value, uint64(len(name))), name...)
	}
	return value
}

// Receipt is a key and a value of SpaceReceived taken apart.
type Receipt struct {
	Client   string
	PacketID uint16
	Number   uint64   // Origin.Number
	Missing  int      // copies that are not stored; 0: the message was received, and a repeat of it is not taken
	Kept     bool     // if copies are missing: the one that MQTT sessions read is not
	Stored   []string // likewise: the receivers that have stored theirs
}

// ReceivedFrom takes a key and a value of SpaceReceived apart.
func ReceivedFrom(key string, value []byte) (r Receipt, ok bool) {
	n := len(key) - 3
	if n < 0 || key[n] != 0 || len(value) == 0 {
		return Receipt{}, false
	}
	r = Receipt{Client: key[:n], PacketID: binary.BigEndian.Uint16([]byte(key[n+1:])), Missing: int(value[0])}
	rest := value[1:]
	if len(rest) == 0 { // of a version that did not number them
		return r, true
	}
	size, k := binary.Uvarint(rest)
	if k <= 0 {
		return Receipt{}, false
	}
	r.Number, rest = size, rest[k:]
	if r.Missing == 0 {
		return r, len(rest) == 0
	}
	if len(rest) == 0 {
		return Receipt{}, false
	}
	r.Kept, rest = rest[0] == 1, rest[1:]
	for len(rest) > 0 {
		if size, k = binary.Uvarint(rest); k <= 0 || size > uint64(len(rest)-k) {
			return Receipt{}, false
		}
		end := k + int(size)
		r.Stored, rest = append(r.Stored, string(rest[k:end])), rest[end:]
	}
	return r, len(r.Stored) > 0
}
