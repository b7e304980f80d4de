package fault

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"edged/sinks/delivery"
	"edged/test/harness"
	"edged/test/load"
	"edged/test/verdict"
)

// illness is one way in which an endpoint can be ill.
type illness struct {
	name, fault string
	ill         func(*post) // nil: nobody listens until it is healed
	settings    string      // of the sink
	dead        func(line string) bool
	says        string // part of a sentence of status, meanwhile
}

func illnesses() []illness {
	return []illness{
		{name: "well", fault: "a sink that is well, beside those that are not", ill: well},
		{name: "refused", fault: "sink: nobody listens", says: "connection refused"},
		{name: "slow", fault: "sink: 400 ms for each answer", ill: func(p *post) { time.Sleep(400 * time.Millisecond); well(p) }},
		{name: "mute", fault: "sink: takes the request and never answers", ill: (*post).hang, settings: `timeout = "1s"`, says: "no answer within 1s"},
		{name: "deaf", fault: "sink: half-open, the kernel accepts and nobody reads", settings: `timeout = "1s"`, says: "no answer within 1s"},
		{name: "reset", fault: "sink: connection reset after the body", ill: (*post).reset, says: "connection reset"},
		{name: "failing", fault: "sink: takes the rows, then answers 500, resets, or hangs", settings: `timeout = "1s"`, ill: func(p *post) {
			p.take()
			[]func(){func() { p.answer(500) }, p.reset, p.hang}[p.number%3]()
		}},
		{name: "e503", fault: "sink: 503", ill: answering(503), says: "503"},
		{name: "e429", fault: "sink: 429 with Retry-After", says: "429", ill: func(p *post) {
			p.w.Header().Set("Retry-After", fmt.Sprint(int(retryAfter.Seconds())))
			p.answer(http.StatusTooManyRequests)
		}},
		{name: "e401", fault: "sink: 401", settings: `token_file = "token"`, ill: answering(401), says: "; check token_file"},
		{name: "e404", fault: "sink: 404", ill: answering(404), says: "check url"},
		{name: "small", fault: "sink: 413 for more than 2,000 bytes", ill: func(p *post) {
			if len(p.body) > 2000 {
				p.answer(http.StatusRequestEntityTooLarge)
				return
			}
			well(p)
		}},
		{name: "poison", fault: "sink: 400 or 422 for some rows", dead: poisoned, ill: func(p *post) {
			for _, line := range strings.Split(strings.TrimSpace(p.body), "\n") {
				if poisoned(line) {
					p.answer([]int{http.StatusBadRequest, http.StatusUnprocessableEntity}[seqOf(line)/50%2])
					return
				}
			}
			well(p)
		}},
	}
}

// chronic illnesses are not healed.
var chronic = map[string]bool{"well": true, "slow": true, "small": true, "poison": true}

const retryAfter = 3 * time.Second

func well(p *post) { p.take(); p.answer(http.StatusNoContent) }

func answering(code int) func(*post) { return func(p *post) { p.answer(code) } }

func poisoned(line string) bool { return seqOf(line)%50 == 7 }

// forgetful says 204 and throws some away: no gateway can know. It is the control of the check.
func forgetful(p *post) {
	if p.number%5 != 4 {
		p.take()
	}
	p.answer(http.StatusNoContent)
}

// Endpoints of every illness at once, one of them in good health, and the file: each gets everything, in order, whatever the others do, and
// however often edged is killed while they are ill.
func TestIllSinks(t *testing.T) {
	t.Parallel()
	var life atomic.Int32
	cases := append(illnesses(), illness{name: "forgetful", fault: "sink: says 204 and forgets", ill: forgetful})
	ends := map[string]*endpoint{}
	var deaf net.Listener
	names, tables := []string{`"archive"`}, ""
	for _, c := range cases {
		e := newEndpoint(t, c.name, &life, c.ill)
		switch {
		case c.name == "deaf":
			l, err := net.Listen("tcp", e.addr)
			if err != nil {
				t.Fatal(err)
			}
			deaf = l
		case c.ill != nil:
			e.listen(t)
		}
		ends[c.name] = e
		names = append(names, fmt.Sprintf("%q", c.name))
		tables += fmt.Sprintf("[sink.%s]\ntype = \"http\"\nurl = \"http://%s/in\"\nbatch_rows = 100\n%s\n", c.name, e.addr, c.settings)
	}
	config := strings.Replace(load.Config, `sinks = ["archive"]`, "sinks = ["+strings.Join(names, ", ")+"]", 1) + tables
	e := harness.New(t, config)
	if err := os.WriteFile(filepath.Join(e.Dir, "token"), []byte("expired"), 0o600); err != nil {
		t.Fatal(err)
	}
	e.Start()
	ill, lives := 4*time.Second, 2
	if all() {
		ill, lives = 20*time.Second, 4
	}
	paused := pause{path: filepath.Join(e.Dir, "raw.ndjson")}
	run := load.Under(t, e, load.Plan{Rate: 250, For: time.Duration(lives)*ill + 4*time.Second}, func() {
		for range lives {
			paused.watch(ill)
			said(t, e, cases)
			harness.Until(t, 60*time.Second, "there are waits to look at", func() bool { return ends["e503"].tries() >= 4 && ends["e429"].tries() >= 2 })
			held := len(ends["mute"].attempts())
			harness.Until(t, 30*time.Second, "a request is under way", func() bool { return len(ends["mute"].attempts()) > held })
			e.Kill()
			life.Add(1)
			e.Start()
		}
		_ = deaf.Close()
		for _, c := range cases {
			if c.ill == nil {
				ends[c.name].listen(t)
			}
			if !chronic[c.name] && c.name != "forgetful" {
				ends[c.name].heal()
			}
		}
		e.Kill() // a sink that holds is tried every minute, and after a start
		life.Add(1)
		e.Start()
	})
	e.AtRest(60 * time.Second)
	for _, c := range cases {
		v := judged(t, ends[c.name], e, run, c)
		if c.name == "forgetful" {
			v.Breaks(t)
		} else {
			v.Holds(t)
		}
	}
	paused.judge(t)
	load.SameCounts(t, e, e.Rows("raw.ndjson"))
	buried(t, e)
	spacing(t, ends["e503"], ends["reset"])
	retried(t, ends["e429"], retryAfter)
	once(t, ends["e401"], ends["e404"])
}

// judged is endpoint.judge; for the forgetful one, whose rows are not those of the file, only the count of what is missing.
func judged(t *testing.T, end *endpoint, e *harness.Edged, run load.Run, c illness) verdict.Verdict {
	t.Helper()
	if c.name != "forgetful" {
		return end.judge(t, e, run, c.fault, c.dead)
	}
	name := "taken-forgetful.ndjson"
	if err := os.WriteFile(filepath.Join(e.Dir, name), []byte(strings.Join(end.rows("raw"), "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return load.Judge(t, e, run, c.fault, name)
}

// pause is the longest time in which a file did not grow, and what the test itself had to wait for the processor meanwhile.
type pause struct {
	path         string
	longest, lag time.Duration
}

func (p *pause) watch(long time.Duration) {
	began := time.Now()
	last, size := began, int64(-1)
	for time.Since(began) < long {
		if fi, err := os.Stat(p.path); err == nil && fi.Size() != size {
			size, last = fi.Size(), time.Now()
		}
		p.longest = max(p.longest, time.Since(last))
		asleep := time.Now()
		time.Sleep(20 * time.Millisecond)
		p.lag = max(p.lag, time.Since(asleep)-20*time.Millisecond)
	}
}

// judge fails the test if the file of a gateway that delivers once a second paused: a busy machine is excused.
func (p *pause) judge(t *testing.T) {
	t.Helper()
	t.Logf("the file's longest pause while sinks are ill: %v; the test waited for the processor for %v", p.longest, p.lag)
	if p.longest > 3*time.Second+20*p.lag {
		t.Errorf("the file paused for %v while sinks were ill", p.longest)
	}
}

// said waits until status says of each ill sink what it should.
func said(t *testing.T, e *harness.Edged, cases []illness) {
	t.Helper()
	var s map[string]string
	unsaid := ""
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
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
func spacing(t *testing.T, ends ...*endpoint) {
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
				if slack := 3 * time.Second; gap < nominal/2 || gap > nominal*3/2+slack {
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
func retried(t *testing.T, e *endpoint, after time.Duration) {
	t.Helper()
	n, last := 0, post{life: -1}
	for _, p := range e.attempts() {
		if p.life == last.life && last.code == http.StatusTooManyRequests {
			n++
			if gap := p.at.Sub(last.at); gap < after || gap > after*3/2+5*time.Second {
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
