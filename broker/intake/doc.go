// Package intake is the way of a publish from an MQTT connection to its receivers, and of the acknowledgement back. It
// knows the protocol's rules about packet identifiers and order, and no MQTT library: whoever reads PUBLISH and PUBREL
// packets from a connection calls it.
//
// A Session is what an MQTT session remembers of its publishes; a Link is one network connection of it. Each publish with
// QoS > 0 becomes an entry in the session's line, in PUBLISH order. It waits there for every receiver that took it and
// for its retained change. When the entry at the head waits for nothing more it leaves: its subscribers get it, and its
// acknowledgement becomes due. So acknowledgements leave in PUBLISH order [MQTT-4.6.0-2], nobody sees a message that a
// crash could take back, and a message that nobody stores still waits for those before it.
//
//	PUBLISH ──► Link.Take ──► Handler.Take (each receiver) ──► … commit … ──► Acked
//	              │                                                            │
//	              └──────────► the session's line, in PUBLISH order ◄──────────┘
//	                                     │ head done
//	                      subscribers ◄──┴──► due ──► Link.Collect (the connection's writer) ──► socket
//
// Publishes that came together enter the line together (TakeTogether), and are acknowledged together when their block is durable
// (AckedTogether): one hold of the lock for a run of them, and otherwise as if one came after the other (TestAnyHistory).
//
// What a session remembers about a packet identifier has three states. Taken: the publish waits in the line. Owed: it is
// durable, and its acknowledgement was not handed to a socket. Acked: PUBREC was handed to a socket and PUBREL has
// not come (QoS 2 only). A PUBLISH with DUP = 1 and a known identifier is not stored again: it becomes an entry that
// waits for the first one, so that it is acknowledged on the connection that repeated it, in its order. A PUBLISH with
// DUP = 0 is a new message, and takes over the identifier. As soon as a PUBACK may have reached the client the
// identifier is forgotten, because the client may use it for another message from then on.
//
// What is known of QoS 1 lives in memory: after a restart of edged a repeated publish is stored again, because nobody knows which
// PUBACKs have left. For QoS 2 the identity of the message goes with it (edged.Origin), and the store notes it with the block; in a
// session that is kept (Keep) there is a fourth state, releasing: PUBREL has come, and PUBCOMP follows when the store has forgotten the
// identity; and a fifth, in part: some of those who are to store it have, and a repeat is for the others (parts.go). So a repeat is stored once, whenever
// edged is killed, and an identifier that is used again swallows nothing.
package intake
