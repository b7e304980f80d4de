package aggregate_test

import (
	"regexp"
	"testing"

	"edged/batches"
	"edged/batches/aggregate"
)

var percent = regexp.MustCompile(`^p[0-9]+$`)

func TestEveryListedKindIsTested(t *testing.T) {
	for _, k := range batches.Aggregates {
		if _, ok := aggregate.Tested[k.Name]; !ok && !percent.MatchString(k.Name) {
			t.Errorf("%s is in the list of aggregates, and in no test", k.Name)
		}
		if kind := k.New(); kind.Formula == "" || (kind.New == nil) == (kind.With == nil) {
			t.Errorf("%s: it has no formula, or both New and With, or neither", k.Name)
		}
	}
}
