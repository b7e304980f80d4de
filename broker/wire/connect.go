package wire

import "bytes"

// Connect is a CONNECT. All of it is its own memory.
type Connect struct {
	Version     byte // 4 or 5
	Clean       bool // Clean Session, Clean Start
	KeepAlive   uint16
	ClientID    string
	HasUser     bool
	User        string
	HasPassword bool
	Password    []byte
	Will        *Will // nil: none

	// MQTT 5; what is not sent has the value that the specification gives it.
	SessionExpiry  uint32
	ReceiveMaximum uint16 // 65,535
	MaxPacketSize  uint32 // 0: no limit
	AliasMaximum   uint16
	AuthMethod     bool // one was sent
}

// Will is the message that a client leaves.
type Will struct {
	Topic   string
	Payload []byte
	QoS     byte
	Retain  bool
	Delay   uint32 // seconds
	Expiry  uint32 // seconds, if HasExpiry
	Props   []byte // what its subscribers get, as on the wire

	HasExpiry bool
}

// DecodeConnect takes a CONNECT apart. With an error for which a client can be told a code, the Connect has the version that it
// is to be told in; it is nil for what is no MQTT at all, and nothing is to be answered.
func DecodeConnect(body []byte) (*Connect, error) {
	r := &reader{b: body}
	name := string(r.text())
	level := r.u8()
	if r.err != nil {
		return nil, r.err
	}
	c := &Connect{Version: level, ReceiveMaximum: 65535}
	switch {
	case name == "MQTT" && (level == 4 || level == 5):
	case name == "MQIsdp", name == "MQTT" && level < 4:
		c.Version = 4
		return c, &Error{UnsupportedVersion, "version 3.1 or older of the protocol; the gateway speaks 3.1.1 and 5"}
	case name == "MQTT":
		c.Version = 5
		return c, &Error{UnsupportedVersion, "an unknown version of the protocol; the gateway speaks 3.1.1 and 5"}
	default:
		return nil, &Error{UnsupportedVersion, "something else than MQTT"}
	}
	c.decode(r)
	return c, r.err
}

func (c *Connect) decode(r *reader) {
	flags := r.u8()
	willQoS := flags >> 3 & 3
	c.Clean, c.HasUser, c.HasPassword = flags&2 != 0, flags&0x80 != 0, flags&0x40 != 0
	switch {
	case flags&1 != 0:
		r.fail(malformed("the reserved flag of CONNECT [MQTT-3.1.2-3]"))
	case flags&4 == 0 && flags&0x38 != 0:
		r.fail(malformed("QoS or RETAIN of a will, and no will [MQTT-3.1.2-11] [MQTT-3.1.2-13]"))
	case willQoS == 3:
		r.fail(malformed("a will with QoS 3 [MQTT-3.1.2-12]"))
	case c.Version == 4 && c.HasPassword && !c.HasUser:
		r.fail(malformed("a password without a user name (3.1.1) [MQTT-3.1.2-22]"))
	}
	c.KeepAlive = r.u16()
	if c.Version == 5 {
		c.properties(r)
	}
	c.ClientID = string(r.text())
	if flags&4 != 0 {
		c.Will = r.will(c.Version == 5)
		c.Will.QoS, c.Will.Retain = willQoS, flags&0x20 != 0
	}
	if c.HasUser {
		c.User = string(r.text())
	}
	if c.HasPassword {
		c.Password = bytes.Clone(r.data())
	}
	_ = r.end()
}

func (c *Connect) properties(r *reader) {
	data := false
	for w := r.walk(inConnect); w.next(r); {
		switch w.p.id {
		case sessionExpiry:
			c.SessionExpiry = w.p.n
		case receiveMaximum:
			c.ReceiveMaximum = uint16(w.p.n)
		case maxPacketSize:
			c.MaxPacketSize = w.p.n
		case topicAliasMax:
			c.AliasMaximum = uint16(w.p.n)
		case authMethod:
			c.AuthMethod = true
		case authData:
			data = true
		}
	}
	if data && !c.AuthMethod {
		r.fail(violation("Authentication Data without an Authentication Method (3.1.2.11.10)"))
	}
}

func (r *reader) will(v5 bool) *Will {
	w := &Will{}
	if v5 {
		for each := r.walk(inWill); each.next(r); {
			switch p := &each.p; p.id {
			case willDelay:
				w.Delay = p.n
			case messageExpiry:
				w.Expiry, w.HasExpiry = p.n, true
			default:
				w.Props = append(w.Props, p.raw...)
			}
		}
	}
	w.Topic = string(r.text())
	w.Payload = bytes.Clone(r.data())
	return w
}
