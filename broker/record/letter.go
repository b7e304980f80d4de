package record

import (
	"encoding/binary"
	"fmt"
	"slices"

	"edged"
	"edged/broker/wire"
)

// Half is how far a delivery with QoS 2 is.
type Half struct {
	ID    uint16
	State State
}

// State is one of the below.
type State byte

// The states.
const (
	Sent     State = iota // PUBLISH may have been sent, with the packet identifier
	Released              // PUBREC has come, PUBREL may have been sent
	Done                  // PUBCOMP has come; it stays until the session's mark has passed it
)

// Append encodes it.
func (h Half) Append(b []byte) []byte {
	return append(binary.BigEndian.AppendUint16(b, h.ID), byte(h.State))
}

// ParseHalf is the reverse.
func ParseHalf(b []byte) (Half, error) {
	if len(b) != 3 || b[2] > byte(Done) || b[0] == 0 && b[1] == 0 {
		return Half{}, errForm
	}
	return Half{ID: binary.BigEndian.Uint16(b), State: State(b[2])}, nil
}

// Extra is what goes with a kept message in the log, besides topic, payload, QoS and retain flag.
type Extra struct {
	Expiry int64  // milliseconds since 1970 after which nobody wants it; 0: never
	Origin string // client id of the publisher, for No Local; "" if no subscriber asks
	Props  []byte // MQTT 5 properties as on the wire
}

// Append encodes it; nothing if there is nothing.
func (x *Extra) Append(b []byte) []byte {
	if x.Expiry == 0 && x.Origin == "" && len(x.Props) == 0 {
		return b
	}
	b = binary.AppendUvarint(append(b, letterVersion), uint64(x.Expiry))
	b = binary.AppendUvarint(b, uint64(len(x.Origin)))
	b = append(b, x.Origin...)
	return append(b, x.Props...)
}

// ParseExtra is the reverse. Props is a slice of b.
func ParseExtra(b []byte) (x Extra, err error) {
	if len(b) == 0 {
		return x, nil
	}
	if b[0] != letterVersion {
		return x, errForm
	}
	r := reader{b: b[1:]}
	x.Expiry = int64(r.uvarint() & (1<<62 - 1))
	x.Origin = string(r.bytes(r.uvarint()))
	x.Props = r.b
	return x, r.err
}

// Letter is a delivery with a form of its own on disk.
type Letter struct {
	QoS    byte // of the delivery
	Retain bool // it is a retained message
	Share  string
	At     edged.Pos // if it has a Share: the place of its message in the log, so that nobody else gets it
	SubIDs []uint32
	Extra
	Message wire.Message // topic, payload, properties, QoS and RETAIN as published
}

const letterVersion = 1

// Append encodes it.
func (l *Letter) Append(b []byte) []byte {
	flags := l.QoS
	if l.Retain {
		flags |= 4
	}
	b = append(b, letterVersion, flags)
	b = binary.AppendUvarint(b, uint64(l.Expiry))
	b = binary.AppendUvarint(b, uint64(len(l.Share)))
	b = append(b, l.Share...)
	if l.Share != "" {
		b = binary.AppendUvarint(b, l.At.Seq)
		b = binary.AppendUvarint(b, uint64(l.At.Off))
	}
	b = binary.AppendUvarint(b, uint64(len(l.SubIDs)))
	for _, id := range l.SubIDs {
		b = binary.AppendUvarint(b, uint64(id))
	}
	b = binary.AppendUvarint(b, uint64(len(l.Origin)))
	b = append(b, l.Origin...)
	pk := l.Message
	pk.ID = 1
	return pk.Append(b, true)
}

// ParseLetter is the reverse. Topic, Payload and Props of the Publish, which has the message, are slices of b, or of the Publish.
func ParseLetter(b []byte) (l Letter, p wire.Publish, err error) {
	if len(b) < 2 || b[0] != letterVersion {
		return l, p, errForm
	}
	l.QoS, l.Retain = b[1]&3, b[1]&4 != 0
	r := reader{b: b[2:]}
	l.Expiry = int64(r.uvarint() & (1<<62 - 1))
	l.Share = string(r.bytes(r.uvarint()))
	if l.Share != "" {
		l.At = edged.Pos{Seq: r.uvarint(), Off: uint32(r.uvarint())}
	}
	for range min(r.uvarint(), uint64(len(r.b))) {
		l.SubIDs = append(l.SubIDs, uint32(r.uvarint()))
	}
	l.Origin = string(r.bytes(r.uvarint()))
	if r.err != nil || l.QoS == 0 || l.QoS > 2 || !slices.IsSorted(l.SubIDs) {
		return l, p, errForm
	}
	f, size, err := wire.Next(r.b, wire.MaxPacket)
	if err != nil || size != len(r.b) || f.Type() != wire.PUBLISH {
		return l, p, errForm
	}
	if err := p.Decode(f, true); err != nil {
		return l, p, fmt.Errorf("%w: %w", errForm, err)
	}
	return l, p, nil
}

// reader takes values off the front. After the first failure it returns zero values.
type reader struct {
	b   []byte
	err error
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.b, r.err = nil, errForm
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) bytes(n uint64) []byte {
	if n > uint64(len(r.b)) {
		r.b, r.err = nil, errForm
		return nil
	}
	p := r.b[:n]
	r.b = r.b[n:]
	return p
}
