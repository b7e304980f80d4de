// Package broker shows from outside that the embedded broker keeps what MQTT 3.1.1 and MQTT 5 ask of a server.
//
// Each case says with shows which normative statements it shows: v3:MQTT-3.1.0-1 is of 3.1.1, v5:MQTT-3.1.0-1 is of 5, where the
// same number may mean something else. docs/mqtt.md has them all, and TestEveryStatement compares it with the cases;
//
//	go test ./test/broker -run TestEveryStatement -fill
//
// writes the names of the cases into its tables.
//
// The cases run side by side against one real edged. With EDGED_TEST_TARGET=HOST:PORT they run against the broker that listens
// there, as a control that the cases are right: what the specifications leave open is then not asked for.
package broker
