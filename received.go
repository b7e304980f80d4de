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

// Received is the value of a publish in SpaceReceived when a receiver's copy of it is stored; before is the value until then, nil if there
// was none. As long as copies are missing it names the receivers whose copies are there, because a repeat is for the others alone. A
// value without missing copies begins again: a client that repeats such a publish is not heard, so this is another one.
//
// It is a byte, the number of missing copies, and if there are any the names, each behind its length as a varint.
func (o Origin) Received(before []byte, receiver string) []byte {
	if o.Copies <= 1 {
		return []byte{0}
	}
	was, _ := ReceivedFrom(o.Key(), before)
	if !slices.Contains(was.Stored, receiver) {
		was.Stored = append(was.Stored, receiver)
	}
	missing := int(o.Copies) - len(was.Stored)
	if missing <= 0 {
		return []byte{0}
	}
	value := []byte{byte(min(missing, math.MaxUint8))}
	for _, name := range was.Stored {
		value = append(binary.AppendUvarint(value, uint64(len(name))), name...)
	}
	return value
}

// Receipt is a key and a value of SpaceReceived taken apart.
type Receipt struct {
	Client   string
	PacketID uint16
	Missing  int      // copies that are not stored; 0: the message was received, and a repeat of it is not taken
	Stored   []string // if copies are missing, the receivers that have stored theirs
}

// ReceivedFrom takes a key and a value of SpaceReceived apart.
func ReceivedFrom(key string, value []byte) (r Receipt, ok bool) {
	n := len(key) - 3
	if n < 0 || key[n] != 0 || len(value) == 0 {
		return Receipt{}, false
	}
	r = Receipt{Client: key[:n], PacketID: binary.BigEndian.Uint16([]byte(key[n+1:])), Missing: int(value[0])}
	for rest := value[1:]; len(rest) > 0; {
		size, k := binary.Uvarint(rest)
		if k <= 0 || size > uint64(len(rest)-k) {
			return Receipt{}, false
		}
		end := k + int(size)
		r.Stored, rest = append(r.Stored, string(rest[k:end])), rest[end:]
	}
	return r, (r.Missing == 0) == (len(r.Stored) == 0)
}
