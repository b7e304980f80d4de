package wave

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"edged/internal/conf"

	"pgregory.net/rapid"
)

// load binds a wave as the pin's table does, and returns the problems' texts.
func load(t testing.TB, kind, text string) (Config, []string) {
	t.Helper()
	k, ok := Kinds().Find(kind)
	if !ok {
		t.Fatalf("no kind %q", kind)
	}
	d := conf.Parse("f", []byte(text))
	c, root := k.New(), d.Root()
	root.Bind(c)
	c.Check(root)
	var msgs []string
	for _, p := range d.Problems() {
		msgs = append(msgs, p.Msg)
	}
	return c, msgs
}

func newWave(t testing.TB, kind, text string) Wave {
	t.Helper()
	c, problems := load(t, kind, text)
	if len(problems) > 0 {
		t.Fatalf("%s %s: %v", kind, text, problems)
	}
	return c.New("door")
}

func file(t testing.TB, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "values.csv")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestValues(t *testing.T) {
	timed := "file = '" + file(t, "0,1\n1000,2\n3000,3\n") + "'\n"
	for _, c := range []struct {
		kind, text string
		every      time.Duration
		want       []float64
	}{
		{"square", ``, time.Second, []float64{0, 1, 0, 1}},
		{"square", `min = 20` + "\n" + `max = 30` + "\n" + `period = "4s"`, time.Second, []float64{20, 20, 30, 30, 20}},
		{"sine", `period = "4s"` + "\nmin = 10\nmax = 30", time.Second, []float64{20, 30, 20, 10, 20}},
		{"sine", ``, 5 * time.Second, []float64{0.5, 0.75, 0.933013, 1}},
		{"noise", "seed = 1", time.Second, []float64{0.725004, 0.403204, 0.024154}},
		{"counter", ``, time.Second, []float64{0, 1, 2, 3}},
		{"counter", `min = 5` + "\n" + `max = 9` + "\n" + `step = 2`, time.Second, []float64{5, 7, 9, 5, 7}},
		{"counter", `max = 0.3` + "\n" + `step = 0.1`, time.Second, []float64{0, 0.1, 0.2, 0.3, 0}},
		{"csv", timed, time.Second, []float64{1, 2, 2, 3, 3, 1, 2, 2, 3}},
		{"csv", "file = '" + file(t, "7\n8\n") + "'\nperiod = \"2s\"", time.Second, []float64{7, 7, 8, 8, 7}},
	} {
		w := newWave(t, c.kind, c.text)
		for i, want := range c.want {
			got, err := w.At(time.Duration(i) * c.every)
			if err != nil || got != want {
				t.Errorf("%s %q at %v: %v (%v), want %v", c.kind, c.text, time.Duration(i)*c.every, got, err, want)
			}
		}
	}
}

func TestAReplayThatDoesNotRepeatEnds(t *testing.T) {
	w := newWave(t, "csv", "repeat = false\nfile = '"+file(t, "0,0\n1000,1\n2000,0\n")+"'")
	if v, err := w.At(2900 * time.Millisecond); v != 0 || err != nil {
		t.Errorf("before the end: %v, %v", v, err)
	}
	if _, err := w.At(3 * time.Second); !errors.Is(err, ErrEnd) {
		t.Errorf("at the end: %v", err)
	}
	var changes []time.Duration
	at, more := w.(Stepper).Next(0)
	for ; more; at, more = w.(Stepper).Next(at) {
		changes = append(changes, at)
	}
	if !slices.Equal(changes, []time.Duration{time.Second, 2 * time.Second}) || at != 3*time.Second {
		t.Errorf("changes %v, end %v", changes, at)
	}
}

func TestAConstantReplayNeverChanges(t *testing.T) {
	w := newWave(t, "csv", "file = '"+file(t, "4\n4\n")+"'")
	if at, more := w.(Stepper).Next(time.Hour); more || at != Never {
		t.Errorf("%v, %v", at, more)
	}
}

// TestNextIsWhereTheValueChanges holds Next against At: it finds each change, and nothing that is none.
func TestNextIsWhereTheValueChanges(t *testing.T) {
	name := filepath.Join(t.TempDir(), "values.csv")
	rapid.Check(t, func(rt *rapid.T) {
		values := rapid.SliceOfN(rapid.SampledFrom([]string{"0", "1", "2"}), 1, 8).Draw(rt, "values")
		text := ""
		for _, v := range values {
			text += v + "\n"
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			rt.Fatal(err)
		}
		kind := rapid.SampledFrom([]string{"square", "counter", "csv"}).Draw(rt, "kind")
		setup := map[string]string{
			"square": `period = "10ms"`, "counter": "period = \"5ms\"\nmax = 3",
			"csv": "period = \"5ms\"\nfile = '" + name + "'\nrepeat = " + rapid.SampledFrom([]string{"true", "false"}).Draw(rt, "repeat"),
		}[kind]
		w := newWave(t, kind, setup).(Stepper)
		at := time.Duration(rapid.IntRange(0, 100).Draw(rt, "ms")) * time.Millisecond
		value, err := w.At(at)
		if err != nil {
			return // a replay that was over
		}
		next, more := w.Next(at)
		if next <= at {
			rt.Fatalf("next change after %v at %v", at, next)
		}
		if v, err := w.At(min(next, at+time.Hour)); more && (err != nil || v == value) {
			rt.Fatalf("no change at %v: %v, %v", next, v, err)
		}
		for probe := at; probe < min(next, at+200*time.Millisecond); probe += time.Millisecond {
			if v, err := w.At(probe); err != nil || v != value {
				rt.Fatalf("changed at %v, before %v: %v, %v", probe, next, v, err)
			}
		}
	})
}

func TestNoiseIsEvenRepeatableAndDifferentPerPin(t *testing.T) {
	c, _ := load(t, "noise", "min = -1\nmax = 3\nseed = 7")
	a, again, other := c.New("a"), c.New("a"), c.New("b")
	const n = 20_000
	var sum, products, previous float64
	same := 0
	for i := range time.Duration(n) {
		v, _ := a.At(i * time.Second)
		w, _ := again.At(i * time.Second)
		u, _ := other.At(i * time.Second)
		if v != w {
			t.Fatalf("sample %d: %v, then %v", i, v, w)
		}
		if v < -1 || v > 3 {
			t.Fatalf("sample %d: %v is out of bounds", i, v)
		}
		if v == u {
			same++
		}
		sum += v
		products += (v - 1) * (previous - 1)
		previous = v
	}
	if mean := sum / n; mean < 0.95 || mean > 1.05 {
		t.Errorf("mean %v, want 1", mean)
	}
	if c := products / n / (16.0 / 12); c < -0.05 || c > 0.05 {
		t.Errorf("neighbours are correlated: %v", c)
	}
	if same > 5 {
		t.Errorf("two pins share %d of %d values", same, n)
	}
}

func TestDigital(t *testing.T) {
	for _, c := range []struct {
		kind, text string
		want       bool
	}{
		{"square", "", true}, {"square", "max = 2", false}, {"sine", "", false}, {"noise", "", false}, {"counter", "", false}, {"counter", "max = 1", true},
		{"csv", "file = '" + file(t, "0\n1\n") + "'", true}, {"csv", "file = '" + file(t, "0\n2\n") + "'", false},
	} {
		if w, _ := load(t, c.kind, c.text); w.Digital() != c.want {
			t.Errorf("%s %q: digital %v", c.kind, c.text, w.Digital())
		}
	}
}

func TestMistakes(t *testing.T) {
	for _, c := range []struct{ kind, text, want string }{
		{"square", `period = "1ms"`, "period: want at least 2ms"},
		{"square", `seed = 1`, `unknown key "seed"`},
		{"sine", "min = 3\nmax = 3", "max: want more than min (3), have 3"},
		{"sine", "min = nan", "min: want a number between -1e15 and 1e15"},
		{"noise", "max = inf", "max: want a number between -1e15 and 1e15"},
		{"counter", "step = 0", "step: want more than 0, and at most 1e15"},
		{"counter", "max = 0.5", "max: want at least min + step (1) and at most 1e15, or 0 for a counter that never begins again"},
		{"counter", `period = "-1s"`, "period: want at least 1ms"},
		{"csv", "", "a csv wave needs file, the file to replay"},
		{"csv", "file = 'nowhere.csv'", "file: open nowhere.csv: no such file or directory"},
	} {
		if _, got := load(t, c.kind, c.text); !slices.Equal(got, []string{c.want}) {
			t.Errorf("%s %q: %q, want %q", c.kind, c.text, got, c.want)
		}
	}
}

func TestWavesDoNotAllocate(t *testing.T) {
	csv := "file = '" + file(t, "0,0\n5,1\n") + "'"
	for _, kind := range Kinds().Names() {
		w := newWave(t, kind, map[string]string{"csv": csv}[kind])
		var at time.Duration
		if n := testing.AllocsPerRun(100, func() {
			_, _ = w.At(at)
			if s, ok := w.(Stepper); ok {
				_, _ = s.Next(at)
			}
			at += time.Second
		}); n > 0 {
			t.Errorf("%s allocates %v times a value", kind, n)
		}
	}
}
