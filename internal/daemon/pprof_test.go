package daemon

import (
	"bytes"
	"io"
	"net/http"
	"runtime/pprof"
	"strings"
	"testing"
)

// Profiles are not there unless they are asked for.
func TestProfilesAreOffByDefault(t *testing.T) {
	g := newGuarded(t)
	for _, path := range []string{"/debug/pprof/profile?seconds=1", "/debug/pprof/heap", "/debug/pprof/"} {
		if code, body := g.ask(path, token); code != http.StatusNotFound {
			t.Errorf("%s: %d %s", path, code, body)
		}
	}
}

// With http.pprof they are what go tool pprof reads, for those who have the token alone.
func TestProfilesAreGuarded(t *testing.T) {
	g := newGuardedWith(t, "pprof = true")
	for _, path := range []string{"/debug/pprof/profile?seconds=1", "/debug/pprof/heap?gc=1", "/debug/pprof/goroutine"} {
		if code, body := g.ask(path, ""); code != http.StatusUnauthorized {
			t.Errorf("%s, to a stranger: %d %s", path, code, body)
		}
		code, body := g.ask(path, token)
		if code != http.StatusOK || !bytes.HasPrefix([]byte(body), []byte{0x1f, 0x8b}) { // gzip
			t.Errorf("%s: %d, %.40q", path, code, body)
		}
	}
	if code, body := g.ask("/debug/pprof/goroutine?debug=1", token); code != http.StatusOK || !strings.Contains(body, "serveHTTP") {
		t.Errorf("as text: %d %.200s", code, body)
	}
	for path, want := range map[string]int{
		"/debug/pprof/profile?seconds=0": http.StatusBadRequest, "/debug/pprof/profile?seconds=x": http.StatusBadRequest,
		"/debug/pprof/profile?seconds=9999": http.StatusBadRequest, "/debug/pprof/nothing": http.StatusNotFound, "/debug/pprof/": http.StatusNotFound,
	} {
		if code, body := g.ask(path, token); code != want {
			t.Errorf("%s: %d %s, want %d", path, code, body, want)
		}
	}
}

// There is one profile of the processor in a process: who asks while it is taken is told so.
func TestOneProfileAtATime(t *testing.T) {
	g := newGuardedWith(t, "pprof = true")
	if err := pprof.StartCPUProfile(io.Discard); err != nil {
		t.Fatal(err)
	}
	code, body := g.ask("/debug/pprof/profile?seconds=1", token)
	pprof.StopCPUProfile()
	if code != http.StatusConflict {
		t.Errorf("while one is taken: %d %.100q", code, body)
	}
	if code, body := g.ask("/debug/pprof/profile?seconds=1", token); code != http.StatusOK {
		t.Errorf("after it: %d %.100q", code, body)
	}
}
