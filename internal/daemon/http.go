package daemon

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"edged/broker"
	"edged/internal/guard"

	"github.com/VictoriaMetrics/metrics"
)

// maxHTTP bounds the connections from other machines, and those from this one.
const maxHTTP = 64

// serveHTTP serves health, metrics, status and tails until ctx ends.
func (d *Daemon) serveHTTP(ctx context.Context) error {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", d.serveHealth)
	mux.HandleFunc("GET /readyz", d.serveReady)
	mux.HandleFunc("GET /metrics", d.serveMetrics)
	mux.HandleFunc("GET /api/status", d.serveStatus)
	mux.HandleFunc("GET /api/clients", d.serveClients)
	mux.HandleFunc("GET /api/store/ls", d.serveStoreList)
	mux.HandleFunc("GET /api/store/verify", d.serveStoreVerify)
	mux.HandleFunc("GET /api/store/export", d.serveStoreExport)
	mux.HandleFunc("POST /api/store/forget", d.serveStoreForget)
	mux.HandleFunc("POST /api/reload", d.serveReload)
	mux.HandleFunc("POST /api/replay", d.serveReplay)
	mux.HandleFunc("GET /api/tail", func(w http.ResponseWriter, r *http.Request) { d.serveTail(ctx, w, r) })
	if d.o.Config.HTTP.PProf {
		addProfiles(mux)
	}
	srv := &http.Server{
		Handler: d.guarded(mux), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second,
		IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10, ErrorLog: slog.NewLogLogger(d.log.Handler(), slog.LevelDebug),
	}
	l := guard.Limit(d.http, maxHTTP, d.refuseConnection)
	if c := d.guard.TLS(); c != nil {
		l = tls.NewListener(l, c)
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	select {
	case err := <-served:
		return fmt.Errorf("the HTTP listener %s ended: %w", d.http.Addr(), err)
	case <-ctx.Done():
	}
	end, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := srv.Shutdown(end); err != nil {
		srv.Close()
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// guarded lets requests with the token through, and all where none is configured. Monitoring asks for health and readiness
// without one, and is told no more than yes or no. Nobody else learns even which paths there are.
func (d *Daemon) guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		verdict := d.guard.Check(r)
		if verdict == guard.Welcome {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Connection", "close") // a stranger keeps no place
		probe := r.URL.Path == "/healthz" || r.URL.Path == "/readyz"
		if !probe || verdict == guard.Wrong {
			d.refused.Inc()
			d.seldom.Warn("token", "an HTTP request without the right token was refused", "remote", r.RemoteAddr, "token", tokenWas[verdict])
		}
		if probe {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("WWW-Authenticate", `Bearer realm="edged"`)
		http.Error(w, "this needs the token of http.token_file: Authorization: Bearer …", http.StatusUnauthorized)
	})
}

var tokenWas = [...]string{guard.Missing: "missing", guard.Wrong: "wrong", guard.Welcome: "right"}

func (d *Daemon) refuseConnection(from net.Addr) {
	d.shut.Inc()
	d.seldom.Warn("connections", "an HTTP connection was closed: too many are open", "remote", from, "limit", maxHTTP)
}

// answer is a probe's: 200, or 503 with the reason for those who may know it.
func (d *Daemon) answer(w http.ResponseWriter, r *http.Request, why string) {
	switch {
	case why == "":
		fmt.Fprintln(w, "ok")
	case d.guard.Check(r) == guard.Welcome:
		http.Error(w, why, http.StatusServiceUnavailable)
	default:
		http.Error(w, "not ok", http.StatusServiceUnavailable)
	}
}

// serveHealth answers 200 as long as the parts that move data come round; it is what the watchdog is fed by.
func (d *Daemon) serveHealth(w http.ResponseWriter, r *http.Request) {
	why := ""
	if err := d.Healthy(); err != nil {
		why = err.Error()
	}
	d.answer(w, r, why)
}

// serveReady answers 200 while everything that is configured is taken in.
func (d *Daemon) serveReady(w http.ResponseWriter, r *http.Request) { d.answer(w, r, d.unready()) }

// unready is why not everything that is configured is taken in.
func (d *Daemon) unready() string {
	switch {
	case d.state.Load() != started:
		return stateNames[d.state.Load()]
	case d.store.Space().Full:
		return "the store is full: nothing is taken in until something was delivered"
	}
	for stream, sink := range d.gate.Blocked() {
		return fmt.Sprintf("intake of what stream %s needs is stopped, because sink %s has reached max_pending", stream, sink)
	}
	return ""
}

func (d *Daemon) serveMetrics(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4")
	d.set.WritePrometheus(w)
	for _, s := range d.now().sets() {
		s.WritePrometheus(w)
	}
	metrics.WriteProcessMetrics(w)
}

func (d *Daemon) serveStatus(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	_ = enc.Encode(d.Status()) // the reader has gone
}

// serveReload loads the configuration again, and answers what changed: 200, a line each; or 409 and what is wrong, a line each.
func (d *Daemon) serveReload(w http.ResponseWriter, r *http.Request) {
	if fromBrowser(w, r) {
		return
	}
	_ = http.NewResponseController(w).SetWriteDeadline(time.Time{})
	report := d.ReloadNow(context.WithoutCancel(r.Context()))
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if len(report.Problems) > 0 {
		w.WriteHeader(http.StatusConflict)
	}
	for _, line := range append(report.Problems, report.Lines...) {
		fmt.Fprintln(w, line)
	}
}

// fromBrowser refuses what a page in a browser on this machine asks for: it is nobody who may change anything.
func fromBrowser(w http.ResponseWriter, r *http.Request) bool {
	if r.Header.Get("Sec-Fetch-Site") == "" {
		return false
	}
	http.Error(w, "not from a browser", http.StatusForbidden)
	return true
}

// serveClients lists the clients of the embedded broker; none without one.
func (d *Daemon) serveClients(w http.ResponseWriter, _ *http.Request) {
	clients := []broker.Client{}
	if d.broker != nil {
		clients = append(clients, d.broker.Clients()...)
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(clients) // the reader has gone
}
