package file

import (
	"context"
	"strings"
	"testing"

	"edged"
)

func TestUndisturbed(t *testing.T) {
	st := newStation(t, options{})
	st.open()
	st.write(row("a"), row("b"))
	st.write(row("c"))
	st.restart()
	st.write(row("d"))
	st.holds("raw.ndjson", line("a")+line("b")+line("c")+line("d"))
	st.silent()
}

func TestFirstStartOnAFileThatIsThere(t *testing.T) {
	st := newStation(t, options{})
	st.m.place("raw.ndjson", "mine\nno line end")
	st.open()
	st.write(row("a"))
	st.uncommitted(row("b"))
	st.restart(row("b"))
	st.write(row("b"))
	st.holds("raw.ndjson", "mine\nno line end\n"+line("a")+line("b"))
	st.said("appended to a file that was there before")
	st.said("the last turn was not committed")
}

func TestRenamedByOthers(t *testing.T) {
	for _, running := range []bool{true, false} {
		st := newStation(t, options{})
		st.open()
		st.write(row("a"))
		st.m.Rename("/d/raw.ndjson", "/d/raw.ndjson.1")
		if !running {
			st.restart()
		}
		st.write(row("b"))
		st.write(row("c"))
		st.holds("raw.ndjson", line("b")+line("c"), "raw.ndjson.1", line("a"))
		st.said("is gone")
		if st.s.state.generation != 2 {
			t.Errorf("the new file is generation %d, want 2", st.s.state.generation)
		}
	}
}

func TestReplacedByOthers(t *testing.T) {
	st := newStation(t, options{})
	st.open()
	st.write(row("a"))
	st.m.Rename("/d/raw.ndjson", "/d/raw.ndjson.1")
	st.m.place("raw.ndjson", "theirs\n")
	st.write(row("b"))
	st.write(row("c"))
	st.holds("raw.ndjson", "theirs\n"+line("b")+line("c"), "raw.ndjson.1", line("a"))
	st.said("another file has taken the place")
}

func TestTruncatedByOthers(t *testing.T) {
	for _, running := range []bool{true, false} {
		st := newStation(t, options{})
		st.open()
		st.write(row("a"), row("b"))
		f, _ := st.m.Open("/d/raw.ndjson", 0)
		f.Truncate(int64(len(line("a")) + 3))
		if !running {
			st.restart()
		}
		st.write(row("c"))
		st.write(row("d"))
		st.holds("raw.ndjson", line("a")+line("b")[:3]+"\n"+line("c")+line("d"))
		st.said("somebody truncated it")
		f.Truncate(0)
		st.write(row("e"))
		st.holds("raw.ndjson", line("e"))
	}
}

func TestAppendedToByOthers(t *testing.T) {
	st := newStation(t, options{})
	st.open()
	st.write(row("a"))
	long := strings.Repeat("theirs", 20)
	f, _ := st.m.Open("/d/raw.ndjson", 0)
	f.Write([]byte(long))
	st.restart(row("b"))
	st.write(row("b"))
	st.holds("raw-*-1.ndjson", line("a")+long, "raw.ndjson", line("b"))
	st.said("was not written by edged")
}

// TestAppendedToWhileRunning: a line that is shorter than the next turn is not taken for that turn's damaged end.
func TestAppendedToWhileRunning(t *testing.T) {
	st := newStation(t, options{})
	st.open()
	st.write(row("a"))
	f, _ := st.m.Open("/d/raw.ndjson", 0)
	f.Write([]byte("note\n"))
	st.write(row("b"))
	st.holds("raw-*-1.ndjson", line("a")+"note\n", "raw.ndjson", line("b"))
	st.said("was not written by edged")
}

// TestDamagedTail is a power cut that left zeros where the turn was written.
func TestDamagedTail(t *testing.T) {
	st := newStation(t, options{})
	st.open()
	st.write(row("a"))
	f, _ := st.m.Open("/d/raw.ndjson", 0)
	f.Write(make([]byte, len(line("b"))))
	st.restart(row("b"))
	st.write(row("b"))
	st.holds("raw.ndjson", line("a")+line("b"))
	st.said("damaged")
}

func TestNameOfTheClosedFileIsTaken(t *testing.T) {
	st := newStation(t, options{rotateSize: 1})
	st.open()
	st.write(row("a"))
	r, err := decodeReceipt(st.receipt)
	if err != nil || r.final == "" {
		t.Fatalf("%+v, %v: want an intent", r, err)
	}
	st.m.place(r.final+".zst", "theirs")
	st.restart()
	st.write(row("b"))
	st.restart()
	st.holds("raw-*-1.ndjson.zst", "theirs", "raw-*-2.ndjson", line("a"), "raw-*-3.ndjson", line("b"), "raw.ndjson", "")
}

func TestANewStoreGoesOnCountingGenerations(t *testing.T) {
	st := newStation(t, options{rotateSize: 1})
	st.m.place("raw-20261020T100000Z-41.ndjson.gz", "x")
	st.m.place("raw-20261020T100000Z-x.ndjson", "not ours")
	st.open()
	st.write(row("a"))
	st.restart()
	st.holds("raw-*-41.ndjson.gz", "x", "raw-20261020T100000Z-x.ndjson", "not ours", "raw-*-42.ndjson", line("a"), "raw.ndjson", "")
}

func TestCSV(t *testing.T) {
	wide := row("b")
	wide.Rows.Names, wide.Rows.Cells = []string{"v", "w"}, append(wide.Rows.Cells, edged.NumberValue(2))
	st := newStation(t, options{csv: true})
	st.open()
	st.write(row("a"))
	st.restart()
	st.write(row("b"), wide)
	f, _ := st.m.Open("/d/raw.ndjson", 0)
	f.Truncate(0)
	st.write(wide, wide)
	st.holds("raw-*-1.ndjson", "stream,v\ns,a\ns,b\n", "raw.ndjson", "stream,v,w\ns,b,2\ns,b,2\n")
}

func TestCSVGoesOnUnderTheHeaderThatIsThere(t *testing.T) {
	for header, want := range map[string][]string{
		"stream,v\ns,old\n": {"raw.ndjson", "stream,v\ns,old\ns,a\n"},
		"stream,w\ns,old\n": {"raw-*-1.ndjson", "stream,w\ns,old\n", "raw.ndjson", "stream,v\ns,a\n"},
	} {
		st := newStation(t, options{csv: true})
		st.m.place("raw.ndjson", header)
		st.open()
		st.write(row("a"))
		st.holds(want...)
	}
}

func TestAFormatThatChangesStartsANewFile(t *testing.T) {
	st := newStation(t, options{})
	st.open()
	st.write(row("a"))
	st.s.Close()
	o := st.s.options
	o.csv = true
	st.s = inline(newSink(o, st.m, quiet()))
	st.open()
	st.write(row("b"))
	st.holds("raw-*-1.ndjson", line("a"), "raw.ndjson", "stream,v\ns,b\n")
}

func TestACancelledTurnKeepsWhatIsWhole(t *testing.T) {
	st := newStation(t, options{})
	st.open()
	st.write(row("a"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if done, receipt, err := st.s.Write(ctx, []edged.Delivery{row("b")}); done != 0 || receipt != nil || err == nil {
		t.Fatal(done, receipt, err)
	}
	st.write(row("b"))
	st.holds("raw.ndjson", line("a")+line("b"))
	st.silent()
}
