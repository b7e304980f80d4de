package rowjson

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestTimesAreAsThePackageWritesThem(t *testing.T) {
	var s stamp // remembers the second before
	check := func(t rapid.TB, ns int64) {
		if got, want := string(s.append(nil, ns)), time.Unix(0, ns).UTC().Format(time.RFC3339Nano); got != want {
			t.Errorf("%d is written %s, want %s", ns, got, want)
		}
	}
	for _, ns := range []int64{0, 1, -1, 1e9, 1e9 - 1, 1731970000123e6, 1731970000100e6, math.MinInt64, math.MaxInt64} {
		check(t, ns)
	}
	rapid.Check(t, func(t *rapid.T) {
		ns := rapid.Int64().Draw(t, "ns")
		check(t, ns)
		check(t, ns/1e6*1e6)
		check(t, ns/1e9*1e9)
	})
}
