// Package wire is the form of MQTT packets on the wire, of versions 3.1.1 and 5: where a packet ends, what a client's packets
// say, and what the gateway's packets look like. It knows no sessions, and keeps nothing.
//
// It is strict: whatever the specification calls malformed or a protocol error within one packet is an *Error, so that what
// comes out of it can be believed. What depends on more than the packet (an alias that was never set, a packet identifier that is
// in use) is the caller's to judge.
//
// Decoding copies what is rare and shares what is frequent: the strings of a CONNECT and of a SUBSCRIBE are copies, the topic,
// payload and properties of a PUBLISH are slices of the caller's buffer.
package wire
