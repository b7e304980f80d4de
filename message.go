package edged

import "context"

// Message is one publish as it came.
//
// Topic and Payload belong to the caller of Take: they may point into a read buffer and are only valid until Take
// returns. Whoever keeps them copies them.
type Message struct {
	Topic   string
	Payload []byte
	QoS     byte // 0, 1 or 2
	Retain  bool
	Origin  Origin // set for QoS 2 only
	Kept    bool   // MQTT sessions read this copy of it from the log
	Extra   []byte // of a copy that is kept: what subscribers get besides, opaque to all but the broker
}

// Origin names a QoS 2 publish: it is stored with the message's block, so that a repeated PUBLISH is known as one
// [MQTT-4.3.3-10].
type Origin struct {
	Client   string
	PacketID uint16
	// Copies is the number of sources that store the message, those of an earlier try of its client included; it counts as received when all of
	// them have. 0: the identity is not remembered, because the client's session ends with its connection.
	Copies uint8
	// Number tells a publish from others under the same identifier; a later one has a higher number. It is not in the block.
	Number uint64
}

// Handler takes messages in. A receiver is given one.
//
// Take accepts the message or blocks (rate limit, full queue, full store): that is the back-pressure, and it ends at the
// publisher. It allocates nothing per message.
//
// err != nil: not taken, and Acked is never called. ErrStopped means that the gateway is stopping, ErrFull that the store
// could not take the message before ctx ended; both leave the message with its publisher.
// err == nil: if ack is not nil, ack.Acked(token, …) is called exactly once, from another goroutine.
type Handler interface {
	Take(ctx context.Context, m *Message, ack Acker, token uint64) error
}

// BatchHandler is a Handler that can take several messages at once, which costs less than one after the other.
//
// TakeReady takes the first of ms, as many as there is room for now, and returns how many; it does not block. What was taken is as if by Take, with the
// tokens first, first+1, …; what was not is still to be taken, and Take says what keeps it out.
type BatchHandler interface {
	Handler
	TakeReady(ms []Message, ack Acker, first uint64) (n int)
}

// Acker is told when messages are durable. It takes the place of the return of Spark's store(many).
//
// Acked(token, at, nil) licenses the acknowledgement of that message: its block is on disk, and at is its place there. Another error
// says what kept it off the disk, and the message must not be acknowledged. Calls for one receiver come in the order of Take.
//
// Flush follows the Acked calls of one commit, so that many acknowledgements go out in one write. Neither method may
// block: the goroutine that calls them serves every client.
//
// An Acker is compared with ==, so it is a pointer.
type Acker interface {
	Acked(token uint64, at Pos, err error)
	Flush()
}

// BatchAcker is an Acker that can be told of several messages at once: of those with the tokens first, first+1, …, n of them, whose places follow each
// other from at on. It means the same as n calls of Acked.
type BatchAcker interface {
	Acker
	AckedTogether(first uint64, n int, at Pos, err error)
}

// Receiver brings messages from one source to a Handler.
//
// Run replaces Spark's onStart and onStop: it returns when every goroutine that it started has ended. The class of the
// error is Spark's restart and stop: retryable errors are run again after a backoff from 2 s with jitter, permanent ones
// are not. A nil error means that the source has ended by itself.
type Receiver interface {
	Run(ctx context.Context, h Handler) error
}
