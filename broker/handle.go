package broker

import (
	"errors"
	"fmt"

	"edged"
	"edged/broker/intake"
	"edged/broker/wire"
)

// handle acts on one packet. An error ends the connection: a *wire.Error for what is wrong with it.
func (c *conn) handle(f wire.Frame) error {
	if f.Type() == wire.PUBLISH {
		return c.publish(f)
	}
	c.takeGathered()
	switch f.Type() {
	case wire.PUBREL:
		id, _, err := wire.DecodeAck(f, c.v5())
		if err == nil {
			c.settled(c.link.Release(id))
		}
		return err
	case wire.PUBACK, wire.PUBREC, wire.PUBCOMP:
		id, code, err := wire.DecodeAck(f, c.v5())
		if err == nil {
			err = c.session.out.acknowledged(c, f.Type(), id, code)
		}
		return err
	case wire.SUBSCRIBE:
		return c.subscribe(f)
	case wire.UNSUBSCRIBE:
		return c.unsubscribe(f)
	case wire.PINGREQ:
		if len(f.Body) > 0 {
			return &wire.Error{Code: wire.Malformed, Why: "a PINGREQ with something in it"}
		}
		c.put(func(b []byte) []byte { return append(b, wire.PINGRESP, 0) })
		return nil
	case wire.DISCONNECT:
		return c.disconnect(f)
	case wire.CONNECT:
		return &wire.Error{Code: wire.ProtocolError, Why: "a second CONNECT [MQTT-3.1.0-2]"}
	}
	if !c.v5() {
		return &wire.Error{Code: wire.Malformed, Why: "a packet of the type 15, which 3.1.1 reserves"}
	}
	return &wire.Error{Code: wire.ProtocolError, Why: "an AUTH, and its CONNECT had no Authentication Method [MQTT-4.12.0-1]"}
}

// disconnect carries out the change of the session's lifetime that a DISCONNECT can ask for. Only reason code 0 withdraws the
// will [MQTT-3.14.4-3].
func (c *conn) disconnect(f wire.Frame) error {
	d, err := wire.DecodeDisconnect(f.Body, c.v5())
	if err != nil {
		return err
	}
	if d.HasExpiry && !c.b.sessions.extend(c, d.SessionExpiry) {
		return &wire.Error{Code: wire.ProtocolError, Why: "a DISCONNECT that asks for a session which its CONNECT did not (3.14.2.2.2)"}
	}
	if d.Code == wire.Success && c.will != nil {
		c.b.deposits.give(c.will.size())
		c.will = nil
	}
	return errBye
}

// settled acts on what the intake said.
func (c *conn) settled(err error) {
	switch {
	case err == nil:
	case errors.Is(err, edged.ErrStopped):
		c.park()
	case errors.Is(err, intake.ErrReceiveMaximum):
		c.goodbye(wire.ReceiveMaximum, err)
	case errors.Is(err, intake.ErrUnfinished):
		c.goodbye(wire.QuotaExceeded, err)
	case errors.Is(err, intake.ErrNotInTime):
		c.goodbye(wire.QuotaExceeded, fmt.Errorf("no room for its publishes: a receiver is full, or it does not read its acknowledgements: %w", err))
	default:
		c.goodbye(wire.Unspecified, err)
	}
}
