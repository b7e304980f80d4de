package aggregate

import (
	"strconv"

	"edged"
)

// maxTop bounds the k of top_k.
const maxTop = 100

// TopK is top_k(x, k): the k most frequent values with how often they came, as a JSON array [{"value":…,"count":…},…], the most frequent
// first and of equally frequent ones the smallest; null if there is none. Its counts and its memory are those of Mode.
var TopK = Kind{
	Argument: Any, Keeps: true, Formula: "the k (1 to 100) most frequent x, as JSON [{value, count}, …]; exact up to 256 different x with 16 KiB of texts, then counts are at most rows / 256 too high",
	With: func(constants []edged.Value) (func() edged.Accumulator, error) {
		if err := wantConstants("top_k", constants, 1, "how many values it gives, such as top_k(value, 5)"); err != nil {
			return nil, err
		}
		k, err := whole("top_k", constants, 0, maxTop)
		if err != nil {
			return nil, err
		}
		return func() edged.Accumulator { return &topK{k: k} }, nil
	},
}

type topK struct {
	tallies
	k int
}

func (a *topK) Merge(later edged.Accumulator) { a.merge(&later.(*topK).tallies) }

func (a *topK) Result(edged.Window, edged.Accumulator) edged.Value {
	if len(a.all) == 0 {
		return edged.NullValue()
	}
	b := []byte{'['}
	for i, e := range a.ranked() {
		if i == a.k {
			break
		}
		if i > 0 {
			b = append(b, ',')
		}
		b = appendJSON(append(b, `{"value":`...), e.v)
		b = strconv.AppendUint(append(b, `,"count":`...), e.n, 10)
		b = append(b, '}')
	}
	return edged.JSONValue(string(append(b, ']')))
}
