package expression

import (
	"fmt"
	"testing"

	"edged"
	"edged/batches/decode"
)

// The same row gives the same value, each time: feeds evaluate again what a stream evaluated before.
func TestTheSameRowGivesTheSameValue(t *testing.T) {
	for text, allowed := range map[string]bool{
		"keys(a)[0]": false, "values(a)[0]": false, "string(toPairs(a))": false, "now()": false, "toJSON(a)": true, "string(a)": true,
	} {
		s := NewScope(decode.JSON)
		x, err := s.Compile(text)
		if (err == nil) != allowed {
			t.Errorf("%s: %v", text, err)
		}
		if err != nil {
			continue
		}
		seen := map[string]bool{}
		for range 50 {
			cols := make([]edged.Value, len(s.Paths()))
			for i := range cols {
				cols[i] = edged.JSONValue(`{"p":1,"q":2,"r":3,"s":4}`)
			}
			seen[fmt.Sprint(NewEvaluator().Value(x, &Row{Cols: cols}))] = true
		}
		if len(seen) > 1 {
			t.Errorf("%s has %d values", text, len(seen))
		}
	}
}
