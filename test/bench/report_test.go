package bench

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// measured is what became of a line of the table.
type measured struct {
	figure  float64 // what is held against the goal
	edged   string
	partner string  // "": there is none
	ratio   float64 // 0: there is none
	notes   []string
	missing string // why there is no figure
}

// report collects the figures of a sitting.
type report struct {
	mu      sync.Mutex
	figures map[string]measured
	noise   []float64 // what other processes took of the processors, of each run, 0 to 1
	began   time.Time
	commit  string
}

var sitting = &report{figures: map[string]measured{}, began: time.Now()}

// say notes a figure and prints it. A second figure of the same line replaces the first.
func (r *report) say(t testing.TB, key string, m measured) {
	t.Helper()
	i := slices.IndexFunc(goals, func(g goal) bool { return g.key == key })
	if i < 0 {
		t.Fatalf("there is no line %s in the table", key)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.figures[key] = m
	fmt.Printf("%-16s %s\n", key, strings.Join(goals[i].cells(m), " | "))
	for _, n := range m.notes {
		fmt.Printf("%-16s %s\n", "", n)
	}
}

// cells are a line of the table.
func (g *goal) cells(m measured) []string {
	ratio, says := "–", "not measured"
	if m.ratio > 0 {
		ratio = fmt.Sprintf("%.3g", m.ratio)
	}
	if m.missing == "" {
		says, _ = g.reached(m.figure)
	}
	return []string{g.what, or(m.edged, "–"), or(m.partner, "–"), ratio, g.bound(g.goal, ""), g.bound(g.stretch, g.limit), says}
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// root is the project's directory: tests run in their package's.
const root = "../.."

// reasons reads why what is not reached is not: a line each, the key of the table's line, a colon and the reason.
func reasons(t *testing.T) map[string]string {
	text, err := os.ReadFile(filepath.Join(root, "bench/reasons.txt"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		key, why, ok := strings.Cut(line, ":")
		if !ok || !slices.ContainsFunc(goals, func(g goal) bool { return g.key == key }) {
			t.Errorf("bench/reasons.txt: %q: want the key of a line, a colon and a reason", line)
			continue
		}
		out[key] = strings.TrimSpace(why)
	}
	return out
}

// commit is what was measured.
func commit() string {
	out, err := exec.Command("git", "-C", root, "rev-parse", "--short=12", "HEAD").Output()
	if err != nil {
		return "unknown: not a git repository"
	}
	name := strings.TrimSpace(string(out))
	if out, _ := exec.Command("git", "-C", root, "status", "--porcelain", "--", ".", ":!bench").Output(); len(out) > 0 {
		name += " with changes that are not committed"
	}
	return name
}

// write writes bench/results.md.
func (r *report) write(t *testing.T, machine []string) {
	why := reasons(t)
	var b strings.Builder
	fmt.Fprintf(&b, "# Figures\n\nWritten by `make bench` on %s in %.1f minutes; commit %s.\n\n", r.began.UTC().Format("2006-01-02 15:04 UTC"), time.Since(r.began).Minutes(), r.commit)
	for _, line := range machine {
		fmt.Fprintf(&b, "- %s\n", line)
	}
	if n := slices.Clone(r.noise); len(n) > 0 {
		fmt.Fprintf(&b, "- other processes took %.0f %% of the processors while it ran (median of %d runs), %.0f %% at worst; above 5 %% a figure is doubtful\n",
			100*median(n), len(n), 100*slices.Max(n))
	}
	b.WriteString("\nEverything runs on one machine, the load generator too. Only ratios mean something on another day: both sides ran in turns, a ratio is the median of the\n" +
		"turns' ratios, the values beside it are medians of their own. Rates end when the raw rows and the windows hold every acknowledged message.\n\n" +
		"| what | edged | partner | ratio | goal | stretch | reached |\n|---|---|---|---|---|---|---|\n")
	for i := range goals {
		fmt.Fprintf(&b, "| %s |\n", strings.Join(goals[i].cells(r.figures[goals[i].key]), " | "))
	}
	b.WriteString("\n## Not reached\n\n")
	all := true
	for _, g := range goals {
		m := r.figures[g.key]
		if _, yes := g.reached(m.figure); yes && m.missing == "" {
			continue
		}
		all = false
		said := m.missing
		if said == "" {
			said = m.edged + "; " + or(why[g.key], "no reason is given in bench/reasons.txt yet")
		}
		fmt.Fprintf(&b, "- **%s** (%s): %s\n", g.what, g.key, said)
	}
	if all {
		b.WriteString("Nothing: every goal is reached.\n")
	}
	b.WriteString("\n## How\n\n")
	for _, g := range goals {
		for _, n := range r.figures[g.key].notes {
			fmt.Fprintf(&b, "- %s: %s\n", g.key, n)
		}
	}
	path := filepath.Join(root, "bench/results.md")
	if short() {
		path = filepath.Join(os.Getenv("EDGED_BENCH_OUT"), "results.md")
		if os.Getenv("EDGED_BENCH_OUT") == "" {
			return
		}
	}
	if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}
