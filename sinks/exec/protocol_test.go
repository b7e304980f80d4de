package exec

import (
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"edged"
	"edged/test/await"
)

// TestMistakes: what does not keep to the protocol is ended, and held: it would lose rows.
func TestMistakes(t *testing.T) {
	for name, c := range map[string]struct{ script, want string }{
		"garbage": {`while read -r row; do echo stored; done`,
			`sh does not keep to the protocol: it answered "stored"; it must write ok, error TEXT or retry TEXT for each row, and anything else to standard error. It was ended, and its rows wait in the store`},
		"a banner":            {`echo "okay, $(printf '\033')[2J listening"; while read -r row; do echo ok; done`, `it answered "okay, [2J listening"`},
		"garbage without end": {`head -c 100000 /dev/zero | tr '\0' x; while read -r row; do echo ok; done`, `it answered "` + strings.Repeat("x", textSize) + `…"`},
		"an empty line":       {`read -r row; echo; read -r row`, `it answered ""`},
		"ok with words":       {`read -r row; echo ok then; read -r row`, `it answered "ok then"`},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, config(c.script), quiet(t))
			err := deliver(t, s, delivery(0, 3, ""))
			if edged.ClassOf(err) != edged.Permanent || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got  %v\nwant %s", err, c.want)
			}
			if s.run != nil {
				t.Error("it still counts as running")
			}
		})
	}
}

// TestAnswersWithoutReading: answers to rows that the program cannot have stored do not count.
func TestAnswersWithoutReading(t *testing.T) {
	large := strings.Repeat("x", 100_000)
	for name, c := range map[string]struct {
		script string
		rows   edged.Delivery
	}{
		"at once":              {`yes ok`, delivery(0, 3, "")},
		"more than a pipe":     {`yes ok`, delivery(0, 3, large)},
		"one row of three":     {`read -r row; echo ok; echo ok; echo ok; sleep 1000`, delivery(0, 3, "")},
		"its input is closed":  {`exec <&-; echo ok; echo ok; echo ok; sleep 1000`, delivery(0, 3, large)},
		"it ends after saying": {`read -r row; printf 'ok\nok\nok\n'`, delivery(0, 3, large)},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, config(c.script), quiet(t))
			err := deliver(t, s, c.rows)
			if edged.ClassOf(err) != edged.Permanent || !strings.Contains(err.Error(), "it answered rows that it has not read") && !strings.Contains(err.Error(), "more answers than") {
				t.Fatal(err)
			}
			if i := slices.IndexFunc(s.ledger.rows, func(e entry) bool { return e.said != unanswered }); i >= 0 {
				t.Errorf("the answer to row %d counts", i)
			}
		})
	}
}

// TestAnswersWithItsInputClosed: rows that no program could read are not taken by any word.
func TestAnswersWithItsInputClosed(t *testing.T) {
	e := quiet(t)
	s := open(t, config(`read -r row; echo ok; exec <&-; : >closed; while ! [ -e go ]; do sleep 0.01; done; sleep 0.2; printf 'ok\nok\nok\n'; sleep 1000`), e)
	if err := deliver(t, s, delivery(0, 1, "")); err != nil {
		t.Fatal(err)
	}
	await.Soon(t, "it closed its input", func() bool { _, err := os.Stat(filepath.Join(e.DataDir, "closed")); return err == nil })
	write(t, filepath.Join(e.DataDir, "go"), "")
	if err := deliver(t, s, delivery(1, 3, "")); edged.ClassOf(err) != edged.Permanent {
		t.Fatal(err)
	}
}

// TestAnAnswerTooMany is found at the next delivery at the latest.
func TestAnAnswerTooMany(t *testing.T) {
	e := quiet(t)
	s := open(t, config(`while read -r row; do n=$((n + 1)); printf 'ok\n'; if [ $n = 2 ]; then echo ok; : >said; fi; done`), e)
	err := deliver(t, s, delivery(0, 2, ""))
	if err == nil {
		await.Soon(t, "it said more", func() bool { _, err := os.Stat(filepath.Join(e.DataDir, "said")); return err == nil })
		await.Soon(t, "it was heard", func() bool { return len(s.run.answers) > 0 })
		err = deliver(t, s, delivery(2, 2, ""))
	}
	if edged.ClassOf(err) != edged.Permanent || !strings.Contains(err.Error(), "it gave more answers than it was given rows") {
		t.Fatal(err)
	}
}

// TestItEnds: an end with rows in its hands is an error with its last words; one without is none.
func TestItEnds(t *testing.T) {
	e := quiet(t)
	s := open(t, config(`read -r row; echo ok; read -r row; echo one >&2; echo two >&2; echo three >&2; printf 'no \033[31mroom' >&2; exit 3`), e)
	err := deliver(t, s, delivery(0, 3, ""))
	if want := "sh ended (exit status 3) with 2 rows unanswered, saying: two / three / no [31mroom; they are given to its next life"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	cause, remedy := edged.Explanation(err)
	if cause != "ended: exit status 3" || remedy == "" || edged.ClassOf(err) != edged.Retryable {
		t.Error(cause, remedy)
	}
	s = open(t, config(`read -r row; echo ok`), e)
	for i := range 3 {
		if err := deliver(t, s, delivery(i, 1, "")); err != nil {
			t.Fatal(err)
		}
		await.Soon(t, "it ended", func() bool { return s.run.goneWithin(0) })
	}
}

// TestClosedOutput: without its standard output it can answer nothing.
func TestClosedOutput(t *testing.T) {
	s := open(t, config(`read -r row; exec >&-; sleep 1000`), quiet(t))
	if err := deliver(t, s, delivery(0, 1, "")); err == nil || !strings.HasPrefix(err.Error(), "sh ended (") || edged.ClassOf(err) != edged.Retryable {
		t.Fatal(err)
	}
}

// TestItLeavesInItsOwnWay: the end of the input comes first, and a program may finish on it.
func TestItLeavesInItsOwnWay(t *testing.T) {
	e := quiet(t)
	s := open(t, config(`trap 'echo term >>end' TERM; while read -r row; do echo ok; done; echo eof >>end`), e)
	if err := deliver(t, s, delivery(0, 1, "")); err != nil {
		t.Fatal(err)
	}
	s.Close()
	if b, _ := os.ReadFile(filepath.Join(e.DataDir, "end")); string(b) != "eof\n" {
		t.Errorf("it ended with %q", b)
	}
}

// TestStandardErrorIsLogged, within bounds.
func TestStandardErrorIsLogged(t *testing.T) {
	e := quiet(t)
	log := &await.Log{}
	e.Log = slog.New(slog.NewTextHandler(log, nil))
	s := open(t, config(`i=0; while [ $i -lt 1000 ]; do i=$((i + 1)); echo "line $i of many" >&2; done; read -r row; echo ok`), e)
	if err := deliver(t, s, delivery(0, 1, "")); err != nil {
		t.Fatal(err)
	}
	await.Soon(t, "it ended", func() bool { return s.run.goneWithin(0) })
	if n := log.Count("of many"); n < saidBurst || n > saidBurst+30 || log.Count("line 1 of many") != 1 || log.Count("sink=prog") != n {
		t.Errorf("%d lines:\n%s", n, log)
	}
}
