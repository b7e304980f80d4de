// Package clients runs the real program against clients of other makers: mosquitto_pub, mosquitto_sub and mosquitto_rr (C),
// paho.golang and paho.mqtt.golang (Go), and MQTT.js (Node). Each goes over every transport that it can.
//
// What each is shown to do: what it published, and was acknowledged, is in the sink's file, byte for byte, once, and nothing
// else is (gateway.settle); who subscribes gets the same.
package clients

import (
	"testing"

	"edged/test/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }
