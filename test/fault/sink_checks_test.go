package fault

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"edged/sinks/delivery"
	"edged/test/await"
	"edged/test/harness"
	"edged/test/strain"
)

// pause is the longest time in which a file did not grow, and what the test itself had to wait meanwhile.
type pause struct {
	path    string
	longest time.Duration
	strain  strain.Strain
}

func (p *pause) watch(t *testing.T, long time.Duration) {
	began := time.Now()
	stop := strain.Watch(t, p.path+".probe")
	last, size := began, int64(-1)
	for time.Since(began) < long {
		if fi, err := os.Stat(p.path); err == nil && fi.Size() != size {
			size, last = fi.Size(), time.Now()
		}
		p.longest = max(p.longest, time.Since(last))
		time.Sleep(20 * time.Millisecond)
	}
	p.strain = p.strain.Worse(stop())
}

// judge fails the test if the file of a gateway that delivers once a second paused: a busy machine is excused.
func (p *pause) judge(t *testing.T) {
	t.Helper()
	t.Logf("the file's longest pause while sinks are ill: %v; the test waited for the processor for %v, and for a sync for %v", p.longest, p.strain.Lag, p.strain.Disk)
	if p.longest > p.strain.Excuse(3*time.Second) {
		t.Errorf("the file paused for %v while sinks were ill", p.longest)
	}
}

// said waits until status says of each ill sink what it should.
func said(t *testing.T, e *harness.Edged, cases []illness) {
	t.Helper()
	var s map[string]string
	unsaid := ""
	for end := time.Now().Add(await.Patience); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		s, unsaid = problemsOf(e), ""
		for _, c := range cases {
			if !strings.Contains(s[c.name], c.says) {
				unsaid += fmt.Sprintf("of %s %q, and not %q\n", c.name, s[c.name], c.says)
			}
		}
		if unsaid == "" {
			return
		}
	}
	t.Errorf("status says\n%s", unsaid)
}

// problemsOf is the sentence of status about each sink.
func problemsOf(e *harness.Edged) map[string]string {
	out := map[string]string{}
	for _, p := range e.Status().Problems {
		if rest, ok := strings.CutPrefix(p, "sink "); ok {
			name, text, _ := strings.Cut(rest, ":")
			out[name] = text
		}
	}
	return out
}

// buried checks that the dead letters are the poisoned rows, each once with its reason, and nothing else.
func buried(t *testing.T, e *harness.Edged) {
	t.Helper()
	want, have := map[string]int{}, map[string]int{}
	for _, line := range linesOf(t, filepath.Join(e.Dir, "raw.ndjson")) {
		if poisoned(line) {
			want[line]++
		}
	}
	for _, r := range e.Rows("dead.ndjson") {
		have[fmt.Sprint(r["payload"])]++
		if reason := fmt.Sprint(r["reason"]); r["sink"] != "poison" || !strings.Contains(reason, "400 Bad Request") && !strings.Contains(reason, "422 Unprocessable") {
			t.Errorf("a dead letter of %v says %q", r["sink"], reason)
		}
	}
	for line, n := range want {
		if have[line] != n {
			t.Errorf("%d dead letters of %s, want %d", have[line], line, n)
		}
	}
	if len(want) == 0 || len(have) != len(want) {
		t.Errorf("%d dead letters, want %d", len(have), len(want))
	}
	var d delivery.Status
	for _, k := range e.Status().Sinks {
		if k.Name == "poison" {
			d = k.Deliveries[0]
		}
	}
	if int(d.Dead) != len(e.Rows("dead.ndjson")) {
		t.Errorf("%d rows are counted as dead, %d are in the file", d.Dead, len(e.Rows("dead.ndjson")))
	}
}

// spacing checks the waits between attempts within one life: they grow from one second by a half, each with jitter of its own.
func spacing(t *testing.T, s strain.Strain, ends ...*endpoint) {
	t.Helper()
	lowest, highest, n := 10.0, 0.0, 0
	for _, e := range ends {
		nominal, last := time.Second, post{life: -1}
		for _, p := range e.attempts() {
			if p.code == http.StatusNoContent {
				break
			}
			if p.life == last.life {
				gap := p.at.Sub(last.at)
				if slack := s.Excuse(3 * time.Second); gap < nominal/2 || gap > nominal*3/2+slack {
					t.Errorf("%s: %v between two attempts, want %v to %v", e.name, gap, nominal/2, nominal*3/2)
				}
				lowest, highest, n = min(lowest, float64(gap)/float64(nominal)), max(highest, float64(gap)/float64(nominal)), n+1
				nominal = min(nominal*3/2, time.Minute)
			} else {
				nominal = time.Second
			}
			last = p
		}
	}
	if n < 6 || highest-lowest < 0.1 {
		t.Errorf("%d waits between %.2f and %.2f of what they would be without jitter", n, lowest, highest)
	}
	t.Logf("%d waits, from %.2f to %.2f of what they would be without jitter", n, lowest, highest)
}

// retried checks that nothing came before Retry-After was over.
func retried(t *testing.T, s strain.Strain, e *endpoint, after time.Duration) {
	t.Helper()
	n, last := 0, post{life: -1}
	for _, p := range e.attempts() {
		if p.life == last.life && last.code == http.StatusTooManyRequests {
			n++
			if gap := p.at.Sub(last.at); gap < after || gap > after*3/2+s.Excuse(5*time.Second) {
				t.Errorf("%s: the next attempt after %v; Retry-After was %v", e.name, gap, after)
			}
		}
		last = p
	}
	if n < 2 {
		t.Errorf("%s: %d waits: nothing is shown", e.name, n)
	}
}

// once checks that a sink which holds tries at the start, and not again within the minute.
func once(t *testing.T, ends ...*endpoint) {
	t.Helper()
	for _, e := range ends {
		last := post{life: -1}
		for _, p := range e.attempts() {
			if p.code == http.StatusNoContent {
				break
			}
			if p.life == last.life && p.at.Sub(last.at) < 50*time.Second {
				t.Errorf("%s: a sink that holds tried again after %v", e.name, p.at.Sub(last.at))
			}
			last = p
		}
	}
}
