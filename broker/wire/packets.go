package wire

// Subscribe is a SUBSCRIBE.
type Subscribe struct {
	ID      uint16
	SubID   uint32 // Subscription Identifier; 0: none
	Filters []Filter
}

// Filter is one subscription that is asked for. Its name is UTF-8 and not empty, and nothing else is checked of it.
type Filter struct {
	Name              string
	QoS               byte
	NoLocal           bool
	RetainAsPublished bool
	RetainHandling    byte
}

// DecodeSubscribe takes a SUBSCRIBE apart.
func DecodeSubscribe(body []byte, v5 bool) (s Subscribe, err error) {
	r := reader{b: body}
	s.ID = r.id()
	if v5 {
		for w := r.walk(inSubscribe); w.next(&r); {
			if w.p.id == subscriptionID {
				s.SubID = w.p.n
			}
		}
	}
	for r.err == nil && len(r.b) > 0 {
		f := Filter{Name: r.filter()}
		o := r.u8()
		f.QoS = o & 3
		if v5 {
			f.NoLocal, f.RetainAsPublished, f.RetainHandling = o&4 != 0, o&8 != 0, o>>4&3
		}
		switch {
		case f.QoS == 3:
			r.fail(malformed("a subscription with QoS 3 [MQTT-3.8.3-4]"))
		case !v5 && o > 2, v5 && o > 0x3F:
			r.fail(malformed("reserved bits in the options of a subscription [MQTT-3.8.3-5]"))
		case f.RetainHandling == 3:
			r.fail(violation("the Retain Handling 3 (3.8.3.1)"))
		}
		s.Filters = append(s.Filters, f)
	}
	if r.err == nil && len(s.Filters) == 0 {
		r.fail(violation("a SUBSCRIBE without filters [MQTT-3.8.3-2]"))
	}
	return s, r.end()
}

// DecodeUnsubscribe takes an UNSUBSCRIBE apart.
func DecodeUnsubscribe(body []byte, v5 bool) (id uint16, filters []string, err error) {
	r := reader{b: body}
	id = r.id()
	if v5 {
		r.skip(inUnsubscribe)
	}
	for r.err == nil && len(r.b) > 0 {
		filters = append(filters, r.filter())
	}
	if r.err == nil && len(filters) == 0 {
		r.fail(violation("an UNSUBSCRIBE without filters [MQTT-3.10.3-2]"))
	}
	return id, filters, r.end()
}

func (r *reader) filter() string {
	name := string(r.text())
	if name == "" && r.err == nil {
		r.fail(malformed("an empty topic filter [MQTT-4.7.3-1]"))
	}
	return name
}

// DecodeAck takes a PUBACK, PUBREC, PUBREL or PUBCOMP apart.
func DecodeAck(f Frame, v5 bool) (id uint16, code byte, err error) {
	r := reader{b: f.Body}
	id = r.id()
	if v5 && len(r.b) > 0 {
		if code = r.u8(); len(r.b) > 0 {
			r.skip(inAck)
		}
		known := pubackCodes
		if t := f.Type(); t == PUBREL || t == PUBCOMP {
			known = pubrelCodes
		}
		if r.err == nil && !known.has(code) {
			r.fail(malformed("an acknowledgement with an unknown reason code"))
		}
	}
	return id, code, r.end()
}

// Disconnect is a DISCONNECT of a client.
type Disconnect struct {
	Code          byte
	SessionExpiry uint32 // seconds, if HasExpiry
	HasExpiry     bool
}

// DecodeDisconnect takes a DISCONNECT apart.
func DecodeDisconnect(body []byte, v5 bool) (d Disconnect, err error) {
	r := reader{b: body}
	if v5 && len(body) > 0 {
		d.Code = r.u8()
		if !disconnectCodes.has(d.Code) {
			r.fail(malformed("a DISCONNECT with a reason code that clients do not send"))
		}
		if len(r.b) > 0 {
			for w := r.walk(inDisconnect); w.next(&r); {
				if w.p.id == sessionExpiry {
					d.SessionExpiry, d.HasExpiry = w.p.n, true
				}
			}
		}
	}
	return d, r.end()
}

// codes is a set of reason codes.
type codes [4]uint64

func codesOf(list ...byte) (c codes) {
	for _, b := range list {
		c[b>>6] |= 1 << (b & 63)
	}
	return c
}

func (c *codes) has(b byte) bool { return c[b>>6]>>(b&63)&1 == 1 }

// What a client may say (MQTT 5, 3.4.2.1, 3.6.2.1, 3.14.2.1).
var (
	pubackCodes     = codesOf(0, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99)
	pubrelCodes     = codesOf(0, 0x92)
	disconnectCodes = codesOf(0, 4, 0x80, 0x81, 0x82, 0x83, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99)
)
