package decode

import (
	"strings"
	"testing"

	"edged"
)

// A deep payload must not take the validator down, or time with the square of its depth.
func TestDepthIsBounded(t *testing.T) {
	d := JSON.New([][]string{{"value"}})
	cols := make([]edged.Value, 1)
	for text, good := range map[string]bool{
		strings.Repeat("[", 5_000_000):                                      false,
		strings.Repeat(`{"a":`, 301) + "1" + strings.Repeat("}", 301):       false,
		strings.Repeat("[", 299) + "1" + strings.Repeat("]", 299):           true,
		`{"value":"` + strings.Repeat(`[{\"`, 1000) + `"}`:                  true,
		"[" + strings.TrimSuffix(strings.Repeat("[1],", 10_000), ",") + "]": true,
	} {
		if _, err := d.Decode([]byte(text), cols); (err == nil) != good {
			t.Errorf("%.20s… (%d bytes): %v", text, len(text), err)
		}
	}
	if _, err := d.Decode([]byte("not json"), cols); err == nil || strings.Count(err.Error(), "json") > 0 {
		t.Errorf("the reason repeats the payload: %v", err)
	}
}
