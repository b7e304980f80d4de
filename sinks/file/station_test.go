package file

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"edged"
	"edged/sinks/encode"
)

// station is a gateway with one file sink, on a file system that others use too.
type station struct {
	*testing.T
	m       *memfs
	s       *sink
	receipt []byte
	log     bytes.Buffer
}

func newStation(t *testing.T, o options) *station {
	st := &station{T: t, m: newMemfs(1)}
	o.path = "/d/raw.ndjson"
	st.s = inline(newSink(o, st.m, envWith(slog.New(slog.NewTextHandler(&st.log, nil)))))
	return st
}

func (st *station) open(redo ...edged.Delivery) {
	st.Helper()
	if err := st.s.Open(st.Context(), st.receipt, redo); err != nil {
		st.Fatal(err)
	}
}

// restart is a kill: the sink is not closed.
func (st *station) restart(redo ...edged.Delivery) {
	st.Helper()
	st.s = inline(newSink(st.s.options, st.m, envWith(st.s.log)))
	st.open(redo...)
}

// write delivers a turn and commits, until all is done.
func (st *station) write(turn ...edged.Delivery) {
	st.Helper()
	for len(turn) > 0 {
		done, receipt, err := st.s.Write(st.Context(), turn)
		if err != nil {
			st.Fatal(err)
		}
		if receipt != nil {
			st.receipt = receipt
		}
		turn = turn[done:]
	}
}

// uncommitted delivers a turn, and the gateway is killed before it commits.
func (st *station) uncommitted(turn ...edged.Delivery) {
	st.Helper()
	done, _, err := st.s.Write(st.Context(), turn)
	if err != nil || done != len(turn) {
		st.Fatal(done, err)
	}
}

// holds compares the directory with pairs of a name pattern and contents; * stands for the time in the name.
func (st *station) holds(want ...string) {
	st.Helper()
	var got []string
	for _, name := range st.m.list() {
		pattern := name
		if c, packed, ok := st.s.names.parse(name); ok {
			pattern = strings.Replace(c.name, c.closed, "*", 1) + packed
		}
		got = append(got, pattern, st.m.contents(name))
	}
	if strings.Join(got, "\x00") != strings.Join(want, "\x00") {
		st.Errorf("the directory holds\n%q\nwant\n%q", got, want)
	}
}

// said looks for a text in the log, which must have it once.
func (st *station) said(text string) {
	st.Helper()
	if n := strings.Count(st.log.String(), text); n != 1 {
		st.Errorf("the log says %q %d times:\n%s", text, n, st.log.String())
	}
}

func (st *station) silent() {
	st.Helper()
	if st.log.Len() > 0 {
		st.Errorf("the log says\n%s", st.log.String())
	}
}

// row makes a delivery of one row, and line what becomes of it.
func row(text string) edged.Delivery {
	return edged.Delivery{Key: text, Rows: &edged.Rows{
		Stream: "s", Names: []string{"v"}, Cells: []edged.Value{edged.TextValue(text)}, At: make([]edged.Pos, 1),
	}}
}

func line(text string) string { return string(encode.AppendNDJSON(nil, row(text).Rows)) }
