package await

import (
	"testing"

	"pgregory.net/rapid"
)

// Luck is rapid.Check, again and again until the cases that were drawn had in them what they are to have. The test says so if they never had.
func Luck(t *testing.T, enough func() bool, property func(*rapid.T)) {
	t.Helper()
	for tries := 0; tries == 0 || tries < 100 && !enough(); tries++ {
		rapid.Check(t, property)
	}
}
