package wire

// Publish is a PUBLISH of a client. One can be used for packet after packet.
type Publish struct {
	Topic       []byte // not checked: the caller knows which topics it has seen; a slice of the packet
	Payload     []byte // a slice of the packet
	Props       []byte // those that subscribers get, as on the wire; good until the next Decode, like the packet
	ID          uint16 // 0 for QoS 0
	QoS         byte
	Dup, Retain bool
	Alias       uint16 // if HasAlias
	Expiry      uint32 // seconds, if HasExpiry

	HasAlias, HasExpiry bool

	scratch []byte
}

// Decode takes a PUBLISH apart. It does not allocate, except for a packet with more properties than any before it.
func (m *Publish) Decode(f Frame, v5 bool) error {
	*m = Publish{QoS: f.First >> 1 & 3, Dup: f.First&8 != 0, Retain: f.First&1 != 0, scratch: m.scratch[:0]}
	r := reader{b: f.Body}
	m.Topic = r.data()
	if m.QoS > 0 {
		m.ID = r.id()
	}
	if v5 {
		m.properties(&r)
	}
	if r.err != nil {
		return r.err
	}
	if len(m.Topic) == 0 && !m.HasAlias {
		return violation("a PUBLISH without a topic [MQTT-4.7.3-1]")
	}
	m.Payload = r.b
	return nil
}

func (m *Publish) properties(r *reader) {
	if len(r.b) > 0 && r.b[0] == 0 {
		r.b = r.b[1:]
		return
	}
	whole := r.b
	for w := r.walk(inPublish); w.next(r); {
		switch w.p.id {
		case topicAlias:
			m.Alias, m.HasAlias = uint16(w.p.n), true
		case messageExpiry:
			m.Expiry, m.HasExpiry = w.p.n, true
		default:
			m.scratch = append(m.scratch, w.p.raw...)
		}
	}
	if m.Props = m.scratch; !m.HasAlias && !m.HasExpiry && r.err == nil {
		n, k, _ := varint(whole)
		m.Props = whole[k : k+int(n)]
	}
}
