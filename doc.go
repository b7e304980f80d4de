// Package edged is the ground floor of the gateway: its words and the contracts between its rooms.
//
// A reading takes one way through the gateway:
//
//	pins ──► gpio ──► broker ──► receiver ──► blockstore ──► batches ──► sinks
//	                    ▲            │            │  ▲           │           │
//	         publishers ┘            └─ ack ◄─────┘  └─ state, results, cursors ┘
//
// The rooms (gpio, broker, receiver, blockstore, batches, sinks) do not import each other. What two of them must say to
// each other is a type or an interface of this package, or an interface in the package that needs it; internal/daemon
// is the only place where they meet. This package uses the standard library only.
//
// The words, the field's own, are used in code, configuration, logs and documents alike:
//
//	Message     one publish as it came: topic, payload, QoS, retain flag, arrival
//	Block       the messages of one receiver in at most one block interval; its sequence number comes from the store
//	Tick        a log entry without messages that moves time on
//	Batch       the run of blocks that one consumer takes in one step
//	Stream      a named computation over messages; it makes rows, or results of windows
//	Row         a decoded message: the columns that the stream's expressions name
//	Window      a half-open stretch of time [Start, End)
//	Result      one group's aggregates in one window
//	Watermark   the time up to which a stream's input is taken as complete
//	Epoch       a stretch of wall time without a step
//	Sink        where rows or results end; a Delivery is one write to it; a receipt is what it must know after a restart
//	Cursor      the next position of a consumer in a log; nothing else remembers progress
//	Dead letter a message or row that can never be decoded or taken, kept with its reason
package edged
