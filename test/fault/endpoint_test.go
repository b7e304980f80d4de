package fault

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"edged/test/harness"
	"edged/test/load"
	"edged/test/port"
	"edged/test/verdict"
)

// endpoint is a server that honours keys: it takes each once. Until it is healed it has an illness.
type endpoint struct {
	name    string
	ill     func(p *post) // nil: it is well
	life    *atomic.Int32 // of the gateway that asks
	healed  chan struct{}
	mu      sync.Mutex
	posts   []post
	taken   map[string]string // body by key
	order   []string          // bodies, as they were first taken
	twice   int               // requests with a key that was taken before
	changed []string          // keys that came with other bytes
	server  *http.Server
	addr    string
}

// post is one attempt at one delivery, as the endpoint saw it.
type post struct {
	key, body string
	at        time.Time
	life      int32
	number    int  // of the attempts at this endpoint, from 0
	known     bool // the key was taken before
	code      int  // of the answer; 0 is none
	taken     bool

	e *endpoint
	w http.ResponseWriter
	r *http.Request
}

func newEndpoint(t testing.TB, name string, life *atomic.Int32, ill func(*post)) *endpoint {
	t.Helper()
	e := &endpoint{name: name, ill: ill, life: life, healed: make(chan struct{}), taken: map[string]string{}, addr: fmt.Sprintf("127.0.0.1:%d", port.Free(t))}
	t.Cleanup(func() {
		e.heal()
		if e.server != nil {
			_ = e.server.Close()
		}
	})
	return e
}

// listen begins to serve at the endpoint's address.
func (e *endpoint) listen(t testing.TB) {
	t.Helper()
	l, err := net.Listen("tcp", e.addr)
	if err != nil {
		t.Fatal(err)
	}
	e.serve(l)
}

func (e *endpoint) serve(l net.Listener) {
	e.addr = l.Addr().String()
	e.server = &http.Server{Handler: e}
	go func() { _ = e.server.Serve(l) }()
}

func (e *endpoint) heal() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.isWell() {
		close(e.healed)
	}
}

func (e *endpoint) isWell() bool {
	select {
	case <-e.healed:
		return true
	default:
		return e.ill == nil
	}
}

// ServeHTTP implements http.Handler.
func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	at := time.Now()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // half a request: nothing of it counts
	}
	p := post{key: r.Header.Get("Idempotency-Key"), body: string(body), at: at, life: e.life.Load(), e: e, w: w, r: r}
	e.mu.Lock()
	p.number = len(e.posts)
	for _, q := range e.posts {
		if q.key == p.key && q.body != p.body {
			e.changed = append(e.changed, p.key)
			break
		}
	}
	_, p.known = e.taken[p.key]
	e.posts = append(e.posts, p)
	well := e.isWell()
	e.mu.Unlock()
	if well {
		p.take()
		p.answer(http.StatusNoContent)
	} else {
		e.ill(&p)
	}
	e.mu.Lock()
	e.posts[p.number].code, e.posts[p.number].taken = p.code, p.taken
	e.mu.Unlock()
}

// take keeps the rows, unless the key is known.
func (p *post) take() {
	p.e.mu.Lock()
	defer p.e.mu.Unlock()
	if _, known := p.e.taken[p.key]; known {
		p.e.twice++
		return
	}
	p.e.taken[p.key], p.taken = p.body, true
	p.e.order = append(p.e.order, p.body)
}

func (p *post) answer(code int) {
	p.code = code
	p.w.WriteHeader(code)
}

// reset ends the connection without an answer, with RST.
func (p *post) reset() {
	c, _, err := p.w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	_ = c.(*net.TCPConn).SetLinger(0)
	_ = c.Close()
}

// hang answers nothing until the client has gone, or the endpoint is healed.
func (p *post) hang() {
	select {
	case <-p.r.Context().Done():
	case <-p.e.healed:
	}
}

// attempts are the posts so far.
func (e *endpoint) attempts() []post {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]post(nil), e.posts...)
}

// tries is the number of attempts in this life.
func (e *endpoint) tries() (n int) {
	for _, p := range e.attempts() {
		if p.life == e.life.Load() {
			n++
		}
	}
	return n
}

// rows are the lines taken of a stream, in the order in which they came.
func (e *endpoint) rows(stream string) (lines []string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, body := range e.order {
		for _, line := range strings.Split(strings.TrimSuffix(body, "\n"), "\n") {
			if strings.HasPrefix(line, fmt.Sprintf(`{"stream":%q,`, stream)) {
				lines = append(lines, line)
			}
		}
	}
	return lines
}

// judge holds what the endpoint has taken against what was acknowledged, and against the file that has the same stream: the same
// rows in the same order, but for those that dead says.
func (e *endpoint) judge(t testing.TB, g *harness.Edged, run load.Run, fault string, dead func(line string) bool) verdict.Verdict {
	t.Helper()
	name := "taken-" + e.name + ".ndjson"
	taken := e.rows("raw")
	var file, graves []string
	for _, line := range linesOf(t, filepath.Join(g.Dir, "raw.ndjson")) {
		if dead != nil && dead(line) {
			graves = append(graves, line)
		} else {
			file = append(file, line)
		}
	}
	if err := os.WriteFile(filepath.Join(g.Dir, name), []byte(strings.Join(append(taken, graves...), "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	v := load.Judge(t, g, run, fault, name)
	if len(e.changed) > 0 {
		t.Errorf("%s: keys came with other bytes than before: %v", e.name, e.changed)
		v.Doubled += int64(len(e.changed))
	}
	for i := range min(len(taken), len(file)) {
		if taken[i] != file[i] {
			t.Errorf("%s: row %d is not the file's: the order is lost\nendpoint %s\nfile     %s", e.name, i, taken[i], file[i])
			break
		}
	}
	if len(taken) != len(file) {
		t.Errorf("%s: %d rows, %d in the file", e.name, len(taken), len(file))
	}
	v.Expected = fmt.Sprintf("%d requests, %d of them with a key it had", len(e.posts), e.twice)
	if len(graves) > 0 {
		v.Expected += fmt.Sprintf(", %d rows dead-lettered", len(graves))
	}
	return v
}
