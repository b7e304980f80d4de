// Package verdict judges a fault test by the promise, and prints it as one line: what was injected, and what became of what was acknowledged.
package verdict

import (
	"fmt"
	"os"
	"testing"
)

// Verdict is what a fault has done.
type Verdict struct {
	Fault    string // what was injected, in a few words: "SIGKILL under load, 20 times"
	Acked    int64  // messages that were acknowledged; a test in which it is 0 shows nothing
	Lost     int64  // of those, missing from a sink and from every count that may have them
	Doubled  int64  // rows that are there more often than the message was published, or the window closed
	Expected string // what is said besides: "12 refused with 0x97", "dropped 310 of 5,000, as counted"
}

// Holds fails the test unless the promise held, and adds the line to the report of the test run.
func (v Verdict) Holds(t testing.TB) {
	t.Helper()
	line := v.line("fault")
	t.Log(line)
	report(t, line)
	if v.Acked <= 0 {
		t.Errorf("%s: nothing was acknowledged: the test shows nothing", v.Fault)
	}
	if v.Lost != 0 {
		t.Errorf("%s: %d acknowledged messages are lost", v.Fault, v.Lost)
	}
	if v.Doubled != 0 {
		t.Errorf("%s: %d rows are doubled", v.Fault, v.Doubled)
	}
}

// Breaks is for controls: the same fault for a program that was made to break the promise. It fails the test if the promise held all the
// same, because then the check cannot fail.
func (v Verdict) Breaks(t testing.TB) {
	t.Helper()
	line := v.line("control")
	t.Log(line)
	report(t, line)
	if v.Lost == 0 && v.Doubled == 0 {
		t.Errorf("%s: the promise was broken on purpose, and nobody noticed", v.Fault)
	}
}

func (v Verdict) line(kind string) string {
	s := fmt.Sprintf("%-7s %-72s acknowledged %7d  lost %d  doubled %d", kind, v.Fault, v.Acked, v.Lost, v.Doubled)
	if v.Expected != "" {
		s += "  (" + v.Expected + ")"
	}
	return s
}

// report appends to the file that test/run prints at the end.
func report(t testing.TB, line string) {
	t.Helper()
	path := os.Getenv("EDGED_VERDICTS")
	if path == "" {
		return
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := fmt.Fprintln(f, line); err != nil {
		t.Fatal(err)
	}
}
