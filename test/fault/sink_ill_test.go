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
	ill, lives, spare := 4*time.Second, 2, 2*time.Second // spare: what a life takes besides
	if all() {
		ill, lives, spare = 20*time.Second, 4, 12*time.Second
	}
	paused := pause{path: filepath.Join(e.Dir, "raw.ndjson")}
	run := load.Under(t, e, load.Plan{Rate: 250, For: time.Duration(lives) * (ill + spare)}, func() {
		for range lives {
			paused.watch(t, ill)
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
	spacing(t, paused.strain, ends["e503"], ends["reset"])
	retried(t, paused.strain, ends["e429"], retryAfter)
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
