package console

import (
	"bytes"
	"errors"
	"sync"
	"testing"

	"edged"
	"edged/internal/conf"
	"edged/sinks/encode"
	"edged/sinks/sinktest"
	"edged/sinks/spec"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// terminal holds what was printed, and can be stopped as with Ctrl-S, or refuse.
type terminal struct {
	mu     sync.Mutex
	text   bytes.Buffer
	writes int
	stop   func()
	err    error
}

func (o *terminal) Write(p []byte) (int, error) {
	o.mu.Lock()
	stop := o.stop
	o.mu.Unlock()
	if stop != nil {
		stop()
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err != nil {
		return 0, o.err
	}
	o.writes++
	return o.text.Write(p)
}

func TestConformance(t *testing.T) {
	for format, lines := range map[string]func([]byte, *edged.Rows) []byte{"ndjson": encode.AppendNDJSON, "tuple": encode.AppendTuple} {
		t.Run(format, func(t *testing.T) { conforms(t, format, lines) })
	}
}

func conforms(t *testing.T, format string, lines func([]byte, *edged.Rows) []byte) {
	sinktest.Run(t, func(t *testing.T) sinktest.Harness {
		o := &terminal{}
		c := Default()
		c.Format = format
		return sinktest.Harness{
			Guarantee: sinktest.AtLeastOnce,
			New:       func() edged.Sink { return c.New(spec.Env{Stdout: o}) },
			Encode:    lines,
			Arrived: func() []sinktest.Arrival {
				o.mu.Lock()
				defer o.mu.Unlock()
				return []sinktest.Arrival{{Body: bytes.Clone(o.text.Bytes())}}
			},
			Hang: func() (reached <-chan struct{}, release func()) {
				in, out := make(chan struct{}), make(chan struct{})
				once := sync.OnceFunc(func() { close(in) })
				o.mu.Lock()
				defer o.mu.Unlock()
				o.stop = func() { once(); <-out }
				return in, func() { close(out) }
			},
		}
	})
}

func TestATurnIsOneWrite(t *testing.T) {
	o := &terminal{}
	s := Default().New(spec.Env{Stdout: o})
	rows := &edged.Rows{Stream: "s", Names: []string{"v"}, Cells: make([]edged.Value, 2), At: make([]edged.Pos, 2)}
	turn := []edged.Delivery{{Rows: rows}, {Rows: rows}}
	if done, receipt, err := s.Write(t.Context(), turn); done != 2 || receipt != nil || err != nil {
		t.Fatal(done, receipt, err)
	}
	if o.writes != 1 || o.text.String() != "{\"stream\":\"s\"}\n{\"stream\":\"s\"}\n{\"stream\":\"s\"}\n{\"stream\":\"s\"}\n" {
		t.Errorf("%d writes: %q", o.writes, o.text.String())
	}
	o.err = errors.New("broken pipe")
	done, _, err := s.Write(t.Context(), turn)
	if done != 0 || !errors.Is(err, o.err) || edged.ClassOf(err) != edged.Retryable {
		t.Error(done, err)
	}
	o.err = nil
	if done, _, err := s.Write(t.Context(), turn); done != 2 || err != nil {
		t.Error(done, err)
	}
}

func windowed(stream string, ends ...int64) *edged.Rows {
	r := &edged.Rows{Stream: stream, Names: []string{"window_start", "window_end", "word", "n"}}
	for i, end := range ends {
		r.Cells = append(r.Cells, edged.TimeValue((end-3)*1e9), edged.TimeValue(end*1e9), edged.TextValue("hello"), edged.NumberValue(float64(i)))
		r.At = append(r.At, edged.Pos{})
	}
	return r
}

func TestHeadings(t *testing.T) {
	o := &terminal{}
	c := Default()
	c.Format, c.Headings = "tuple", true
	s := c.New(spec.Env{Stdout: o})
	raw := &edged.Rows{Stream: "raw", Names: []string{"time", "topic", "payload"}, At: make([]edged.Pos, 2), Cells: []edged.Value{
		edged.TimeValue(1763632805123456789), edged.TextValue("a"), edged.NumberValue(1),
		edged.TimeValue(1763632805000000000), edged.TextValue("a"), edged.NumberValue(2),
	}}
	for _, turn := range [][]edged.Delivery{
		{{Rows: windowed("words", 1763632800, 1763632800, 1763632803)}},
		{{Rows: windowed("words", 1763632803)}, {Rows: windowed("words")}, {Rows: windowed("others", 1763632803)}}, // the window goes on; another stream has one of its own
		{{Rows: raw}, {Rows: raw}},
	} {
		if done, _, err := s.Write(t.Context(), turn); done != len(turn) || err != nil {
			t.Fatal(done, err)
		}
	}
	head := func(ms string) string { return rule + "Time: " + ms + " ms\n" + rule }
	want := head("1763632800000") + "(hello,0)\n(hello,1)\n" +
		"\n" + head("1763632803000") + "(hello,2)\n(hello,0)\n" +
		"\n" + head("1763632803000") + "(hello,0)\n" +
		"\n" + head("1763632805123") + "(1)\n(2)\n" +
		"\n" + head("1763632805123") + "(1)\n(2)\n"
	if got := o.text.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestEncodingIsThatOfTheLines(t *testing.T) {
	a, b := Default(), Default()
	if b.Headings = true; a.Encoding() != b.Encoding() {
		t.Error("headings changed the encoding")
	}
	if b.Format = "tuple"; a.Encoding() == b.Encoding() {
		t.Error("tuple and ndjson have the same encoding")
	}
}

func TestCheck(t *testing.T) {
	for text, want := range map[string]string{
		"":                                    "",
		"format = \"tuple\"\nheadings = true": "",
		`format = "tupel"`:                    `f:2: format: want "ndjson" or "tuple", have "tupel"; did you mean "tuple"?`,
	} {
		d := conf.Parse("f", []byte("[sink.a]\n"+text))
		table := d.Root().Sub("sink").Sub("a")
		c := Default()
		table.Bind(c)
		c.Check(table, spec.Env{})
		got := ""
		for _, p := range d.Problems() {
			got += p.String()
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}
