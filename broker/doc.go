// Package broker is the embedded MQTT broker: it takes publishes from clients, hands them to the receivers attached to it,
// acknowledges them when they are durable, and passes them on to those who subscribe. It speaks MQTT 3.1.1 and 5
// (docs/mqtt.md); docs/adr/0013-the-gate.md says why it does so itself, and has the invariants.
//
// The way of a packet from a client, each step in its file or package:
//
//	listener.go, conns.go   a connection is accepted, or closed at once: limits of addresses and of all
//	transport               TLS and WebSocket, until bytes of MQTT come
//	inbox.go                bytes become packets; wire says what is in them, or what is wrong
//	greet.go, login.go      CONNECT: who it is, and whether it may come in; sessions.go gives it its session
//	handle.go               what to do with a packet
//	publish.go, routes.go   a topic becomes a route: its circle of receivers and subscribers (circle.go), permissions; intake takes the publish over
//	together.go             plain publishes that one read has brought are taken at once
//	subscribe.go            subscriptions, and the retained messages (retained.go) that they bring
//
// and to a client:
//
//	fanout.go, deliver.go   what became durable goes to everyone who subscribes
//	outbox.go               QoS 1 and 2 wait for their acknowledgement (acknowledge.go), over connections
//	write.go, alias.go      one queue of bytes a connection, written by one goroutine
//	intake                  acknowledgements of publishes, in their order
//
// A session that outlives its connection is on disk, with what waits for it (docs/adr/0014-sessions.md):
//
//	record                  the forms in which it is there
//	kept.go                 what CONNECT, SUBSCRIBE and the end of a session change
//	lowwater.go             the place in the log before which everything has been through the fan-out
//	standing.go, keeping.go where each outbox stands in the log, which rides along with commits
//	holding.go              QoS 2 towards a subscriber: each half waits until the one before is durable
//	restore.go, replay.go   the start: what is on disk, and then the log from there
//
// Goroutines: one reads each connection, and everything that a client sends is handled on it; one writes, while there is
// something to write; one (fanout.go) delivers what became durable. The committer's calls Ride. The goroutine that calls Acked only moves entries from
// one queue to another.
//
// Locks are taken in this order: keeping.mu, sessions.mu, outbox.mu, intake.Session, conn.mu; keeping.later and lowWater under any of them.
package broker
