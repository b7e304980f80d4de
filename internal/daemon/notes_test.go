package daemon

import (
	"testing"
)

// What a receiver saved is there after a restart, another one's is not touched, and damage is said rather than forgotten.
func TestNotesOfReceivers(t *testing.T) {
	dir := t.TempDir()
	s, end := openStore(t, dir)
	save := func(name, value string) {
		t.Helper()
		done := make(chan error, 1)
		notes{s}.Save(name, []byte(value), func(err error) { done <- err })
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	if v, err := (notes{s}).Load("a"); v != nil || err != nil {
		t.Errorf("%q %v", v, err)
	}
	save("a", "1")
	save("b", "what b noted")
	save("a", "3")
	end()
	flip(t, dir, "what b noted")
	s, end = openStore(t, dir)
	defer end()
	if v, err := (notes{s}).Load("a"); string(v) != "3" || err != nil {
		t.Errorf("%q %v", v, err)
	}
	if v, err := (notes{s}).Load("b"); err == nil {
		t.Errorf("damage is not said: %q", v)
	}
}
