package main

import "testing"

// A listener on every address is asked on loopback; others where they are.
func TestDialable(t *testing.T) {
	for listen, want := range map[string]string{
		"0.0.0.0:8080": "127.0.0.1:8080", "[::]:8080": "127.0.0.1:8080", ":8080": "127.0.0.1:8080", "127.0.0.1:8080": "127.0.0.1:8080",
		"192.0.2.7:8080": "192.0.2.7:8080", "[::1]:8080": "[::1]:8080", "pi.local:8080": "pi.local:8080",
	} {
		if got := dialable(listen); got != want {
			t.Errorf("%s: asked at %s, want %s", listen, got, want)
		}
	}
}
