package power

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"edged/test/harness"
	"edged/test/need"
	"edged/test/verdict"
)

func TestMain(m *testing.M) { harness.Main(m) }

// all reports whether the long forms run (make test-faults, make test-all).
func all() bool { return os.Getenv("EDGED_TEST") == "all" }

// seed is that of EDGED_SEED, or a new one; it is logged. The record itself is another each time.
func seed(t *testing.T) uint64 {
	s := rand.Uint64N(1e9)
	if n, err := strconv.ParseUint(os.Getenv("EDGED_SEED"), 10, 64); err == nil {
		s = n
	}
	t.Logf("EDGED_SEED=%d", s)
	return s
}

// try starts the gateway on what each of the fates leaves, several at a time, and adds up.
func (r *run) try(t *testing.T, fault string, fates []Fate) (v verdict.Verdict, wrong []string) {
	type done struct {
		outcome
		fate Fate
	}
	const atATime = 6
	todo, out := make(chan Fate), make(chan done)
	for range atATime {
		go func() {
			for f := range todo {
				out <- done{r.judge(t, f), f}
			}
		}()
	}
	go func() {
		defer close(todo)
		for _, f := range fates {
			todo <- f
		}
	}()
	aside := 0
	v.Fault = fmt.Sprintf("%s, %d states of the disk", fault, len(fates))
	for range fates {
		d := <-out
		v.Acked += d.acked
		v.Lost += d.lost
		v.Doubled += d.doubled
		if d.aside {
			aside++
			wrong = append(wrong, fmt.Sprintf("%v: the store was set aside, although the disk kept what was synced", d.fate))
		}
		if d.wrong != "" || d.lost+d.doubled > 0 {
			wrong = append(wrong, fmt.Sprintf("%v: of %d acknowledged %d are lost, %d doubled\n%s", d.fate, d.acked, d.lost, d.doubled, d.wrong))
		}
	}
	if aside > 0 {
		v.Expected = fmt.Sprintf("%d stores set aside", aside)
	}
	return v, wrong
}

// The promise: whatever the disk kept of what was not synced, nothing that was acknowledged is lost, nothing is doubled, windows
// and raw rows agree, and the ledger balances.
func TestPowerCut(t *testing.T) {
	need.Root(t)
	t.Parallel()
	s, n := seed(t), 26
	if all() {
		n = 400
	}
	r := record(t, "", 400, 0, nil, nil)
	fates, kinds := r.Fates(n, s, 0, r.Lines+1)
	t.Logf("the power fails after %s", strings.Join(kinds, ", "))
	v, wrong := r.try(t, "power cut under load", fates)
	for _, w := range wrong {
		t.Error(w)
	}
	v.Holds(t)

	v, wrong = r.try(t, "power cut amid commits", r.Amid(n/2, s))
	for _, w := range wrong {
		t.Error(w)
	}
	v.Holds(t)

	again(t, r, s)
	if all() {
		r.lies(t, s)
	}
}

// lies are controls: a disk that does not keep what it said was synced, of one kind of file. Each of the syncs is there for a reason.
func (r *run) lies(t *testing.T, s uint64) {
	for what, lies := range map[string]func(path string) bool{
		"the store's syncs":                 isStore,
		"the raw file's syncs":              func(p string) bool { return filepath.Base(p) == "raw.ndjson" },
		"the directory's syncs":             func(p string) bool { return filepath.Base(p) == "data" },
		"the syncs of files in compression": func(p string) bool { return strings.HasSuffix(p, ".tmp") },
	} {
		last, _ := r.Fates(4, s, r.Lines/2, r.Lines+1)
		for i := range last {
			last[i].Data, last[i].Names, last[i].Lies = DataLost, NamesLost, lies
			if strings.Contains(what, "compression") {
				last[i].Names = NamesKept
			}
		}
		v, _ := r.try(t, "power cut, "+what+" do nothing", last)
		v.Breaks(t)
	}
}

// again cuts the power a second time, while the gateway recovers from the first cut, and after; in the long form also a third and a fourth
// time.
func again(t *testing.T, r *run, s uint64) {
	chains, depth, n := 1, 1, 10
	if all() {
		chains, depth, n = 3, 3, 40
	}
	v := verdict.Verdict{Fault: "power cut while it recovers from a power cut"}
	for i := range chains {
		at := r
		for d := range depth {
			cuts, _ := at.Fates(2, s+uint64(10*i+d), at.Lines/8, at.Lines)
			cut := cuts[1] // the first is without surprises
			at = record(t, "", 60, 100+10*i+d, at.After(cut).NextRun(), at.acked(cut.Cut))
			early, _ := at.Fates(n/2, s+2, 0, 120)
			fates, _ := at.Fates(n-len(early), s+3, 120, at.Lines+1)
			one, wrong := at.try(t, "", append(early, fates...))
			for _, w := range wrong {
				t.Errorf("first %v; then %s", cut, w)
			}
			v.Acked += one.Acked
			v.Lost += one.Lost
			v.Doubled += one.Doubled
		}
	}
	v.Fault += fmt.Sprintf(", %d states of the disk", chains*depth*n)
	v.Holds(t)
}

// The same with programs that were built to break the promise: one that syncs nothing, and one that acknowledges before it commits.
func TestPowerCutIsNoticed(t *testing.T) {
	need.Root(t)
	t.Parallel()
	programs := map[string]string{"edged_nosync": "a program that does not sync"}
	if all() {
		programs["edged_ackfirst"] = "a program that acknowledges first"
	}
	for tag, what := range programs {
		r := record(t, tag, 60, 0, nil, nil)
		fates, _ := r.Fates(6, seed(t), r.Lines/2, r.Lines+1)
		for i := range fates {
			fates[i].Cut = r.Acks[len(r.Acks)*(i+1)/7].End + 1
			fates[i].Data = DataLost
		}
		v, _ := r.try(t, "power cut, "+what, fates)
		v.Breaks(t)
	}
}
