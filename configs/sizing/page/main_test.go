package main

import (
	"os"
	"strconv"
	"testing"
)

// docs/sizing.md is what edged size says of the set-ups.
func TestThePageIsCurrent(t *testing.T) {
	if strconv.IntSize < 64 {
		t.Skip("on 32 bits the store is smaller")
	}
	want, err := page()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("../../../docs/sizing.md")
	if err != nil || string(text) != want {
		t.Errorf("docs/sizing.md is not what edged size says: make sizing (%v)", err)
	}
}
