// Package remote takes messages from an external MQTT broker, and publishes to one, over paho.
//
// Each connection is a paho client of its own. Paho can reconnect by itself, but then all gateways of a site come back in
// step, tokens of publishes complete although nothing was sent, and nobody learns that credentials are wrong. So the
// loop is here (link.go): it waits with jitter, resets the wait only after a connection was stable, says once that the
// broker cannot be reached, and gives up on what cannot get better by itself.
//
// # What is promised
//
// A message is acknowledged to the broker after its block is on disk, so the broker keeps it until then, if it keeps
// anything: what the broker itself has acknowledged to publishers is only as durable as that broker. Config.Check says
// what to set for Mosquitto.
//
// A message that was taken and not acknowledged when the connection ended is sent again by the broker, with DUP = 1, and
// is stored again: at least once. Paho drops acknowledgements of an earlier connection.
//
// A Publisher (pins) has a bounded buffer of its own, which drops the oldest while the broker is away. A Sender (sinks) has none: it
// returns when the broker has acknowledged, and what is not acknowledged stays with whoever called it.
package remote
