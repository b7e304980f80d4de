// Package mqtt is the sink that publishes rows to an MQTT broker, the embedded one or an external one: one message a row.
//
// A delivery is done when the broker has acknowledged each of its messages: with PUBACK or PUBCOMP, or, if it is the embedded one, by the
// commit that a client's acknowledgement would wait for. Many messages are under way at a time, in the order of the rows. Those of a turn
// that are not acknowledged when something fails are published again, in the same order: at least once, and what is published twice is
// what was under way at the failure. With qos = 0 a row is done when it was sent, and a broken connection may lose some.
//
// A broker that speaks MQTT 3.1.1 has no answer for "no": Mosquitto acknowledges what its acl_file does not allow, and throws it away.
package mqtt
