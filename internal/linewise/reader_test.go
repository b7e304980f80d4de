package linewise_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"edged/internal/linewise"

	"pgregory.net/rapid"
)

// However the bytes come, the lines are those of the text, and what is longer than the bound is known as that.
func TestLinesOfAnyText(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		most := rapid.IntRange(1, 20).Draw(r, "max")
		text := rapid.StringMatching(`([ab]{0,30}\r?\n){0,10}[ab]{0,30}\r?`).Draw(r, "text")
		pad := rapid.SampledFrom([]int{0, 4080, 4095, 4096, 9000}).Draw(r, "pad")
		text = strings.Repeat("-", pad) + text
		in := linewise.NewReader(strings.NewReader(text), most)
		for i, want := range strings.Split(text, "\n") {
			last := i == strings.Count(text, "\n")
			if last && want == "" {
				break
			}
			want = strings.TrimSuffix(want, "\r")
			line, over, err := in.Next()
			if err != nil || string(line) != want[:min(len(want), most)] || over != (len(want) > most) {
				r.Fatalf("line %d: %q, %v, %v; want %q", i, line, over, err, want)
			}
		}
		if line, _, err := in.Next(); err == nil {
			r.Fatalf("one more: %q", line)
		}
	})
}

// An unfinished line comes with the error that cut it off.
func TestALineThatWasCutOff(t *testing.T) {
	broken := errors.New("broken")
	in := linewise.NewReader(io.MultiReader(strings.NewReader("one\ntw"), failing{broken}), 10)
	if line, _, err := in.Next(); err != nil || string(line) != "one" {
		t.Errorf("%q, %v", line, err)
	}
	if line, _, err := in.Next(); !errors.Is(err, broken) || string(line) != "tw" {
		t.Errorf("%q, %v", line, err)
	}
}

type failing struct{ error }

func (f failing) Read([]byte) (int, error) { return 0, f.error }
