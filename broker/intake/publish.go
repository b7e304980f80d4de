package intake

import "edged"

// Publish is one PUBLISH as it is offered. A connection may use one Publish for all of its packets: nothing of it, and
// nothing that it points to, is kept after Take or Offer has returned, except After.
type Publish struct {
	edged.Message
	ID  uint16 // packet identifier; 0 for QoS 0, and for publishes that no connection waits for
	Dup bool

	To       []edged.Handler // the receivers that want it
	Sources  []string        // at least for each of To the name under which the log has its copies for good; "": it has not
	Keeper   int             // which of them keeps the copy that MQTT sessions read, if Keep
	Keep     bool
	Extra    []byte    // what goes with that copy
	Retained Retaining // nil if it changes no retained message
	After    Delivery  // nil if there is nobody to deliver it to
	Keeps    int       // bytes that After keeps: payload and properties, and what its deliveries count
	Holds    int       // bytes that Retained holds while it is under way

	part *part // of a repeat: what is stored already
}

// Delivery is what happens to a publish when it is durable. Its methods are called in PUBLISH order of the session, under the
// session's lock: they must not block, and not call back.
type Delivery interface {
	// Begin: it has entered the line, and no receiver has it yet. again: it is the repeat of a publish that was stored in part, and what
	// MQTT sessions read was delivered to them then. One of the two below follows.
	Begin(again bool)
	// Deliver: its subscribers may see it now; at is where MQTT sessions find it in the log, if it is kept. If it is not whole, it was not
	// acknowledged and that copy is stored: those who do not read the log get it with the repeat, which is for what lacks. Intake.Delivered must follow when its payload is no longer needed.
	Deliver(at edged.Pos, whole bool)
	// Abandon: it will not become durable, or is not to be delivered.
	Abandon()
}

// Retaining starts a durable change of a retained message. done is called once, when it is durable or cannot be; from any
// goroutine, also before Retain returns.
type Retaining interface {
	Retain(done func(error))
}

// Peer is the connection's side of a Link. Neither method may block or call back.
type Peer interface {
	// Wake says that acknowledgements are due: the connection's writer is to call Collect.
	Wake()
	// Sever ends the connection, because something on it can never be acknowledged. why is for the log; an MQTT 5 client is
	// told the reason code.
	Sever(code byte, why error)
}

// Reason codes of MQTT 5 (2.4) that the intake uses.
const (
	CodeSuccess     byte = 0x00
	CodeUnspecified byte = 0x80
	CodeNotFound    byte = 0x92 // packet identifier not found
	CodeQuota       byte = 0x97 // quota exceeded
)
