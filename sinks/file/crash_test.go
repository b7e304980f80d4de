package file

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"edged"

	"github.com/klauspost/compress/gzip"
	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// tester is what *testing.T and *rapid.T have in common.
type tester interface{ Context() context.Context }

// TestExactlyOnce is what the package promises: whatever happens at operation k of the file system or the store, for every
// k that there is, the generations together hold all rows once and in order.
func TestExactlyOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sc := drawScenario.Draw(t, "scenario")
		if k, wrong := sc.hitEverywhere(t); wrong != nil {
			t.Fatalf("trouble at operation %d: %v", k, wrong)
		}
	})
}

// TestExactlyOnceIsSeenToBreak takes away one thing at a time that the promise rests on.
func TestExactlyOnceIsSeenToBreak(t *testing.T) {
	for name, s := range map[string]sabotage{
		"files are not synced":                     {syncLies: true},
		"the directory is not synced":              {syncDirLies: true},
		"no deliveries to redo":                    {noRedo: true},
		"receipts without deliveries are not kept": {skipCommits: true},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range 200 {
				sc := drawScenario.Example(seed)
				sc.sabotage = s
				if _, wrong := sc.hitEverywhere(t); wrong != nil {
					return
				}
			}
			t.Fatal("nobody noticed")
		})
	}
}

// hitEverywhere runs the scenario with its trouble at each operation in turn, until a run ends before it comes to it.
func (sc scenario) hitEverywhere(t tester) (k int, wrong error) {
	for k = 1; ; k++ {
		reached, wrong := sc.run(t, k)
		if wrong != nil || !reached {
			return k, wrong
		}
	}
}

var drawScenario = rapid.Custom(func(t *rapid.T) scenario {
	sc := scenario{
		seed:   rapid.Uint64().Draw(t, "seed"),
		turns:  rapid.SliceOfN(rapid.IntRange(1, 3), 1, 3).Draw(t, "turns"),
		late:   rapid.Bool().Draw(t, "late"),
		first:  rapid.SampledFrom([]trouble{kill, power, noSpace, ioError}).Draw(t, "first"),
		second: rapid.SampledFrom([]trouble{none, kill, power, power, noSpace, ioError}).Draw(t, "second"),
		after:  rapid.IntRange(1, 30).Draw(t, "after"),
		reopen: rapid.Bool().Draw(t, "reopen"),
	}
	sc.options = options{
		path:       "/d/raw.ndjson",
		csv:        rapid.Bool().Draw(t, "csv"),
		rotateSize: int64(rapid.SampledFrom([]int{0, 1, 150, 400}).Draw(t, "rotate_size")),
		buffer:     64, // a delivery takes several writes
	}
	if rapid.Bool().Draw(t, "compress") {
		sc.options.packing = quickPacking
	}
	if !sc.options.csv { // which would take a first line for its header
		sc.before = rapid.SampledFrom([]string{"", "", "old\n"}).Draw(t, "before")
	}
	for i, width := range rapid.SliceOfN(rapid.IntRange(1, 2), 2, 6).Draw(t, "widths") {
		sc.deliveries = append(sc.deliveries, numbered(i, width, rapid.IntRange(1, 2).Draw(t, "rows")))
	}
	return sc
})

// quickPacking is gzip at a level that makes no tables: for a few bytes the real ones would spend most of their time on those.
var quickPacking = &packing{".gz", func(w io.Writer) (io.WriteCloser, error) {
	return gzip.NewWriterLevel(w, gzip.StatelessCompression)
}}

// numbered makes a delivery of n rows whose bytes no other has. Its width shows in a CSV header.
func numbered(i, width, n int) edged.Delivery {
	rows := &edged.Rows{Stream: "pins", Names: []string{"a", "b"}[:width], At: make([]edged.Pos, n)}
	for r := range n {
		for c := range width {
			rows.Cells = append(rows.Cells, edged.TextValue(fmt.Sprintf("%d/%d/%d", i, r, c)+strings.Repeat("-", i*7%40)))
		}
	}
	return edged.Delivery{Key: fmt.Sprint(i), Rows: rows}
}
