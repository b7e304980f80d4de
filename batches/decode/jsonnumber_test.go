package decode

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"strconv"
	"testing"

	"edged"
)

// Whatever up to seven characters of numbers and what is near them stand in a payload, it is taken for a number when it is one, and for that number.
func TestShortNumbersAreThoseOfJSON(t *testing.T) {
	const letters = "0159.-+eE,: \xae"
	paths := [][]string{{"v"}}
	cols := make([]edged.Value, 1)
	check := func(text string) {
		for _, behind := range []string{`}`, `,"a":12345678}`, ` }`} {
			payload := []byte(`{"v":` + text + behind)
			if json.Valid(payload) && text[0] == ' ' { // blanks are passed before
				continue
			}
			d := newJSON(paths)
			_, err := d.Decode(payload, cols)
			if valid := json.Valid(payload); valid != (err == nil) {
				t.Fatalf("%s: %v, valid: %t", payload, err, valid)
			} else if valid {
				want, perr := strconv.ParseFloat(text, 64)
				got, _ := cols[0].Float()
				if perr == nil && (got != want || math.IsNaN(got)) {
					t.Fatalf("%s is read as %v", payload, got)
				}
			}
		}
	}
	var every func(text string, left int)
	every = func(text string, left int) {
		if text != "" {
			check(text)
		}
		for i := 0; left > 0 && i < len(letters); i++ {
			every(text+letters[i:i+1], left-1)
		}
	}
	every("", 4)
	for range 100_000 {
		f := math.Trunc(rand.Float64()*1e7) / math.Pow(10, float64(rand.IntN(8)))
		check(strconv.FormatFloat(f, 'f', rand.IntN(8)-1, 64))
	}
}
