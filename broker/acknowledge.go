package broker

import "edged/broker/wire"

// acknowledged handles a subscriber's PUBACK, PUBREC or PUBCOMP from the connection c. One for a delivery that is not there is
// not held against the client; one that its delivery cannot have is an error: the delivery would never end.
func (o *outbox) acknowledged(c *conn, kind byte, id uint16, code byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.c != c {
		return nil // another connection has the session; it gets the delivery again
	}
	o.heard = o.b.seconds.Load()
	o.hear()
	f, known := o.flights[id]
	known = known && (f.released || !f.held) // what was not sent cannot be acknowledged
	if known && f.forbids(kind) {
		return &wire.Error{Code: wire.ProtocolError, Why: "an acknowledgement that does not go with the QoS of what it was sent [MQTT-4.3.2-4] [MQTT-4.3.3-8]"}
	}
	if kind == wire.PUBREC && code < wire.Unspecified {
		if !known {
			o.release(id, wire.IDNotFound)
			return nil
		}
		if f.released {
			if !f.held {
				o.release(f.id, wire.Success)
			}
			return nil
		}
		o.received(f)
		return nil
	}
	if known && f.fits(kind) {
		o.end(f)
		o.pump()
	}
	return nil
}

// received notes that the client has a message with QoS 2, and releases it.
func (o *outbox) received(f *flight) {
	o.number++
	o.grow(-f.size)
	f.size = 0
	f.released, f.number, f.letter = true, o.number, letter{qos: 2, ref: f.ref} // [MQTT-4.3.3-5]; PUBRELs keep their order [MQTT-4.6.0-4]
	if o.s.kept {
		o.hold(f)
		return
	}
	o.release(f.id, wire.Success)
}

// giveUp ends a delivery that is not sent, or not again. If it has QoS 2 and was sent, the client may have it: then the identifier has to
// be released, or the client would take what it is used for next for a repeat, and swallow it [MQTT-4.3.3-12].
func (o *outbox) giveUp(f *flight) {
	if f.qos == 2 && f.sent {
		o.received(f)
		return
	}
	o.end(f)
}

// forbids reports whether no client that keeps to the protocol sends the acknowledgement: PUBACK for QoS 2, PUBREC or PUBCOMP
// for QoS 1, PUBCOMP before it was sent PUBREL.
func (f *flight) forbids(kind byte) bool {
	if kind == wire.PUBACK {
		return f.qos == 2
	}
	return f.qos == 1 || kind == wire.PUBCOMP && (!f.released || f.held)
}

// fits reports whether an acknowledgement can end the delivery: PUBACK one of QoS 1, PUBCOMP one of QoS 2 that was released,
// PUBREC with an error one that was not.
func (f *flight) fits(kind byte) bool {
	switch kind {
	case wire.PUBACK:
		return f.qos == 1
	case wire.PUBREC:
		return f.qos == 2 && !f.released
	}
	return f.qos == 2 && f.released
}

// release sends PUBREL [MQTT-4.3.3-4].
func (o *outbox) release(id uint16, code byte) {
	v5 := o.c.v5()
	if !v5 {
		code = wire.Success
	}
	o.c.put(func(b []byte) []byte { return wire.AppendRelease(b, id, code) })
}
