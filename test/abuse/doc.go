// Package abuse has tests that treat the broker of the real program badly: with bytes that are not MQTT, and with clients
// that mean harm or know no better. After each, clients that behave must not have noticed, and nothing may be left of it in
// memory. EDGED_TEST_TARGET=host:port aims the tests at another broker, of which only the protocol is looked at.
package abuse
