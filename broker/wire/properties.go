package wire

// Identifiers of properties (MQTT 5, 2.2.2.2) that occur in what a client sends or is sent.
const (
	payloadFormat    byte = 0x01
	messageExpiry    byte = 0x02
	contentType      byte = 0x03
	responseTopic    byte = 0x08
	correlationData  byte = 0x09
	subscriptionID   byte = 0x0B
	sessionExpiry    byte = 0x11
	assignedClientID byte = 0x12
	serverKeepAlive  byte = 0x13
	authMethod       byte = 0x15
	authData         byte = 0x16
	requestProblem   byte = 0x17
	willDelay        byte = 0x18
	requestResponse  byte = 0x19
	reasonString     byte = 0x1F
	receiveMaximum   byte = 0x21
	topicAliasMax    byte = 0x22
	topicAlias       byte = 0x23
	userProperty     byte = 0x26
	maxPacketSize    byte = 0x27
)

// set is a set of property identifiers, all of which are below 64.
type set uint64

func setOf(ids ...byte) (s set) {
	for _, id := range ids {
		s |= 1 << id
	}
	return s
}

func (s set) has(id byte) bool { return id < 64 && s>>id&1 == 1 }

// The properties that a client may put into its packets.
var (
	inMessage     = setOf(payloadFormat, messageExpiry, contentType, responseTopic, correlationData, userProperty)
	inPublish     = inMessage | setOf(topicAlias)
	inWill        = inMessage | setOf(willDelay)
	inConnect     = setOf(sessionExpiry, authMethod, authData, requestProblem, requestResponse, receiveMaximum, topicAliasMax, userProperty, maxPacketSize)
	inAck         = setOf(reasonString, userProperty)
	inSubscribe   = setOf(subscriptionID, userProperty)
	inUnsubscribe = setOf(userProperty)
	inDisconnect  = setOf(sessionExpiry, reasonString, userProperty)
)

// property is one property: raw is all of it, with its identifier.
type property struct {
	id   byte
	n    uint32
	data []byte
	raw  []byte
}

// walk goes through the properties of a packet:
//
//	for w := r.walk(inAck); w.next(r); {
//		… w.p …
//	}
//
// What it shows is checked: it is allowed in the packet, comes only once unless it is a User Property (2.2.2.2 and each
// property's section), and has a value that it can have. An error ends it, and is the reader's.
type walk struct {
	in            reader
	allowed, seen set
	p             property
}

func (r *reader) walk(allowed set) walk {
	n := int(r.varint())
	return walk{in: reader{b: r.take(n)}, allowed: allowed}
}

func (w *walk) next(r *reader) bool {
	if len(w.in.b) == 0 || r.err != nil {
		return false
	}
	w.in.property(&w.p)
	switch id := w.p.id; {
	case w.in.err != nil:
	case !w.allowed.has(id):
		w.in.fail(violation("a property that this packet must not have (2.2.2.2)"))
	case id != userProperty && w.seen.has(id):
		w.in.fail(violation("a property twice (2.2.2.2)"))
	default:
		w.seen |= 1 << id
		return true
	}
	r.fail(w.in.err)
	return false
}

// skip goes through properties that nobody needs.
func (r *reader) skip(allowed set) {
	for w := r.walk(allowed); w.next(r); {
		continue
	}
}

func (r *reader) property(p *property) {
	whole := r.b
	*p = property{id: r.u8()}
	switch p.id {
	case payloadFormat, requestProblem, requestResponse:
		if p.n = uint32(r.u8()); p.n > 1 {
			r.fail(violation("a property that must be 0 or 1 and is not"))
		}
	case receiveMaximum:
		if p.n = uint32(r.u16()); p.n == 0 && r.err == nil {
			r.fail(violation("a Receive Maximum of 0 (3.1.2.11.3)"))
		}
	case topicAliasMax, topicAlias:
		p.n = uint32(r.u16())
	case maxPacketSize:
		if p.n = r.u32(); p.n == 0 && r.err == nil {
			r.fail(violation("a Maximum Packet Size of 0 (3.1.2.11.4)"))
		}
	case messageExpiry, sessionExpiry, willDelay:
		p.n = r.u32()
	case subscriptionID:
		if p.n = r.varint(); p.n == 0 && r.err == nil {
			r.fail(violation("the Subscription Identifier 0 (3.8.2.1.2)"))
		}
	case contentType, authMethod, reasonString:
		p.data = r.text()
	case responseTopic:
		p.data = r.text()
		for _, c := range p.data {
			if c == '+' || c == '#' {
				r.fail(violation("a Response Topic with wildcards [MQTT-3.3.2-14]"))
			}
		}
		if len(p.data) == 0 && r.err == nil {
			r.fail(violation("an empty Response Topic [MQTT-4.7.3-1]"))
		}
	case correlationData, authData:
		p.data = r.data()
	case userProperty:
		r.text()
		r.text()
	default:
		r.fail(malformed("a property that a client cannot send"))
	}
	if r.err == nil {
		p.raw = whole[:len(whole)-len(r.b)]
	}
}
