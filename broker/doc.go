// Package broker is the embedded MQTT broker: it takes publishes from clients, hands them to the receivers attached to it,
// acknowledges them when they are durable, and passes them on to those who subscribe.
//
// The protocol library (mochi-mqtt) reads and writes packets, and keeps the index of subscriptions and retained messages.
// What the gateway's promise hangs on is kept out of its hands, each for a reason that was measured or read in its source:
//
//   - PUBLISH and PUBREL of clients (publish.go, package intake): the library acknowledges before anything is durable, and
//     keeps the packet identifiers of both directions in one map.
//   - Delivery to subscribers (deliver.go, outbox.go): it drops messages of QoS 1 when a channel is full for a moment,
//     sends what was queued in any order within a second, gives topic aliases to packets that it then drops, and hangs
//     with a Receive Maximum.
//   - Retained messages (retained.go, subscribe.go): it shows them before they are durable, and sends them through the
//     same channel.
//   - The life of sessions (sessions.go): it can delete a new connection of a client when the old one ends, and it does
//     not unsubscribe sessions that expire.
//   - Wills (wills.go): it delivers them before they are durable, and delayed ones after nobody asked for them any more.
//   - The connection itself (conn.go, read.go, write.go): it waits for ever for a CONNECT, and holds a lock while it writes to a
//     client that does not read.
//
// Goroutines: one reads each connection, and everything that a client sends is handled on it; one writes, while there is
// something to write; one (fanout.go) delivers what became durable. The goroutine that calls Acked only moves entries from
// one queue to another.
package broker
