package window

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"edged/internal/conf"
)

// forms are what Parse takes, by the kinds' names.
var forms = []struct {
	name, example string
	read          func(text string, f []string) (Spec, error)
}{
	{"tumbling", "tumbling 10s", tumbling},
	{"sliding", "sliding 1m every 10s", sliding},
	{"session", "session 5m", session},
	{"count", "count 100", count},
	{"batch", "batch", alone(Batch)},
	{"running", "running", alone(Running)},
}

// Parse reads "tumbling 10s", "sliding 1m every 10s", "session 5m", "count 100", "batch" or "running". "" is no window.
func Parse(text string) (Spec, error) {
	f := strings.Fields(text)
	if len(f) == 0 {
		return Spec{}, nil
	}
	var names, examples []string
	for _, k := range forms {
		if k.name != f[0] {
			names, examples = append(names, k.name), append(examples, strconv.Quote(k.example))
			continue
		}
		s, err := k.read(text, f[1:])
		if err == errForm {
			err = fmt.Errorf("%q is not a window; write %q", text, k.example)
		}
		return s, err
	}
	last := len(examples) - 1
	return Spec{}, fmt.Errorf("%q is not a window; write %s or %s%s", text, strings.Join(examples[:last], ", "), examples[last], conf.Suggest(f[0], names))
}

// errForm says that the words are not those of the kind.
var errForm = errors.New("not of that form")

func tumbling(_ string, f []string) (Spec, error) {
	if len(f) != 1 {
		return Spec{}, errForm
	}
	size, err := length(f[0])
	return Spec{Kind: Tumbling, Size: size, Every: size, pane: size}, err
}

// maxPanes bounds the parts of one window, and with them what it keeps.
const maxPanes = 10000

func sliding(text string, f []string) (Spec, error) {
	if len(f) != 3 || f[1] != "every" {
		return Spec{}, errForm
	}
	size, err := length(f[0])
	if err != nil {
		return Spec{}, err
	}
	every, err := length(f[2])
	if err == nil && every > size {
		err = fmt.Errorf("%q leaves gaps between the windows: the step must be at most the size", text)
	}
	if err != nil {
		return Spec{}, err
	}
	s := Spec{Kind: Sliding, Size: size, Every: every, pane: gcd(size, every)}
	if size/s.pane > maxPanes {
		err = fmt.Errorf("%q has windows of %d parts; at most %d are allowed: choose a longer step, one that divides the size", text, size/s.pane, maxPanes)
	}
	return s, err
}

// maxGap bounds the gap of sessions, so that a time and a gap are a time.
const maxGap = 366 * 24 * time.Hour

func session(text string, f []string) (Spec, error) {
	if len(f) != 1 {
		return Spec{}, errForm
	}
	gap, err := length(f[0])
	if err == nil && gap > int64(maxGap) {
		err = fmt.Errorf("%q: the gap that ends a session is a year at most", text)
	}
	return Spec{Kind: Session, Gap: gap}, err
}

// maxRows bounds the rows of a count window.
const maxRows = 1_000_000_000

func count(text string, f []string) (Spec, error) {
	if len(f) != 1 {
		return Spec{}, errForm
	}
	n, err := strconv.ParseUint(f[0], 10, 64)
	if err != nil || n < 1 || n > maxRows {
		return Spec{}, fmt.Errorf(`%q: want a number of rows from 1 to %d, such as "count 100"`, text, maxRows)
	}
	return Spec{Kind: Count, Rows: n}, nil
}

func alone(k Kind) func(string, []string) (Spec, error) {
	return func(_ string, f []string) (Spec, error) {
		if len(f) != 0 {
			return Spec{}, errForm
		}
		return Spec{Kind: k}, nil
	}
}

func length(text string) (int64, error) {
	d, err := conf.ParseDuration(text)
	if err == nil && d < time.Millisecond {
		err = fmt.Errorf("%q is too short for a window; it must be at least 1ms", text)
	}
	return int64(d), err
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
