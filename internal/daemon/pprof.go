package daemon

import (
	"bytes"
	"fmt"
	"net/http"
	"runtime"
	"runtime/pprof"
	"strconv"
	"time"
)

// profileSeconds bounds how long a profile of the processor is taken; profileDefault is what go tool pprof asks for when nothing is said.
const (
	profileSeconds = 300
	profileDefault = 30
)

// addProfiles serves what go tool pprof reads, under the paths at which it looks: http.pprof asked for it. net/http/pprof registers itself with a
// global mux when it is imported, and would be there without being asked for.
func addProfiles(mux *http.ServeMux) {
	mux.HandleFunc("GET /debug/pprof/profile", serveProfile)
	mux.HandleFunc("GET /debug/pprof/{name}", serveSnapshot)
}

// serveProfile takes a profile of the processor for ?seconds=N. There is one at a time in a process: 409 for the second.
func serveProfile(w http.ResponseWriter, r *http.Request) {
	seconds, ok := profileDefault, true
	if text := r.URL.Query().Get("seconds"); text != "" {
		n, err := strconv.Atoi(text)
		seconds, ok = n, err == nil && n >= 1 && n <= profileSeconds
	}
	if !ok {
		http.Error(w, fmt.Sprintf("seconds: want a whole number from 1 to %d", profileSeconds), http.StatusBadRequest)
		return
	}
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(time.Duration(seconds)*time.Second + time.Minute))
	var b bytes.Buffer // a profile is small, and a reader that is slow must not decide what is in it
	if err := pprof.StartCPUProfile(&b); err != nil {
		http.Error(w, "another profile is being taken; ask again when it is done", http.StatusConflict)
		return
	}
	select {
	case <-time.After(time.Duration(seconds) * time.Second):
	case <-r.Context().Done():
	}
	pprof.StopCPUProfile()
	answerProfile(w, "profile", b.Bytes())
}

// serveSnapshot gives one of the runtime's other profiles: heap, allocs, goroutine, threadcreate; block and mutex, which the runtime fills only where a program has
// asked for it, are empty here. ?debug=1 gives text, ?gc=1 collects garbage before.
func serveSnapshot(w http.ResponseWriter, r *http.Request) {
	p := pprof.Lookup(r.PathValue("name"))
	if p == nil {
		http.Error(w, "there is no such profile: profile, heap, allocs, goroutine and threadcreate are served", http.StatusNotFound)
		return
	}
	if r.URL.Query().Get("gc") == "1" {
		runtime.GC()
	}
	debug, _ := strconv.Atoi(r.URL.Query().Get("debug"))
	var b bytes.Buffer
	if err := p.WriteTo(&b, debug); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	if debug != 0 {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write(b.Bytes()) // the reader has gone
		return
	}
	answerProfile(w, p.Name(), b.Bytes())
}

func answerProfile(w http.ResponseWriter, name string, profile []byte) {
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	_, _ = w.Write(profile) // the reader has gone
}
