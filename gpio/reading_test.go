package gpio

import (
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestTheReadingOfTheReference(t *testing.T) {
	r := reading{seq: 42, value: 1, edge: rising, at: time.UnixMilli(1763632800123)}
	const want = `{"name":"door","line":"GPIO17","value":1,"edge":"rising","seq":42,"ts":1763632800123}`
	if got := newEncoder("door", "GPIO17").encode(&r); string(got) != want {
		t.Errorf("\n%s\n%s", got, want)
	}
}

// TestReadingsAreWhatTheStandardLibraryWrites holds the encoder against encoding/json: names that need escapes, and every
// form of a number.
func TestReadingsAreWhatTheStandardLibraryWrites(t *testing.T) {
	type object struct {
		Name  string  `json:"name"`
		Line  string  `json:"line"`
		Value float64 `json:"value"`
		Edge  string  `json:"edge,omitempty"`
		Seq   uint64  `json:"seq"`
		TS    int64   `json:"ts"`
	}
	rapid.Check(t, func(rt *rapid.T) {
		o := object{
			Name:  rapid.String().Draw(rt, "name"),
			Line:  rapid.String().Draw(rt, "line"),
			Value: rapid.OneOf(rapid.Float64Range(-1e300, 1e300), rapid.SampledFrom([]float64{0, 24, 23.5, 1e21, 1e20, 1e-6, 1e-7, 1.5e-10, -3e-9})).Draw(rt, "value"),
			Seq:   rapid.Uint64().Draw(rt, "seq"),
			TS:    rapid.Int64Range(0, 1<<45).Draw(rt, "ts"),
		}
		e := rapid.SampledFrom([]edge{noEdge, rising, falling}).Draw(rt, "edge")
		o.Edge = e.String()
		want, err := json.Marshal(o)
		if err != nil {
			rt.Fatal(err)
		}
		r := reading{o.Seq, o.Value, e, time.UnixMilli(o.TS)}
		if got := newEncoder(o.Name, o.Line).encode(&r); string(got) != string(want) {
			rt.Fatalf("\n%s\n%s", got, want)
		}
	})
}

func TestEdgeOf(t *testing.T) {
	for _, c := range []struct {
		from, to float64
		want     edge
	}{{0, 1, rising}, {1, 0, falling}, {1, 1, rising}, {0, 0, falling}, {20, 30, rising}, {30, 20, falling}} {
		if got := edgeOf(c.from, c.to); got != c.want {
			t.Errorf("%v to %v: %v, want %v", c.from, c.to, got, c.want)
		}
	}
}
