package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/VictoriaMetrics/metrics"
)

// serveHTTP serves health, metrics, status and tails until ctx ends.
func (d *Daemon) serveHTTP(ctx context.Context) error {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", d.serveHealth)
	mux.HandleFunc("GET /readyz", d.serveReady)
	mux.HandleFunc("GET /metrics", d.serveMetrics)
	mux.HandleFunc("GET /api/status", d.serveStatus)
	mux.HandleFunc("GET /api/tail", func(w http.ResponseWriter, r *http.Request) { d.serveTail(ctx, w, r) })
	srv := &http.Server{
		Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(d.http) }()
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

// serveHealth answers 200 as long as the parts that move data come round; it is what the watchdog is fed by.
func (d *Daemon) serveHealth(w http.ResponseWriter, _ *http.Request) {
	if err := d.Healthy(); err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ok")
}

// serveReady answers 200 while everything that is configured is taken in.
func (d *Daemon) serveReady(w http.ResponseWriter, _ *http.Request) {
	switch {
	case d.state.Load() != started:
		http.Error(w, stateNames[d.state.Load()], http.StatusServiceUnavailable)
	case d.store.Space().Room <= 0 && d.store.Space().Max > 0:
		http.Error(w, "the store is full: nothing is taken in until something was delivered", http.StatusServiceUnavailable)
	case len(d.gate.Blocked()) > 0:
		for stream, sink := range d.gate.Blocked() {
			http.Error(w, fmt.Sprintf("intake of what stream %s needs is stopped, because sink %s has reached max_pending", stream, sink), http.StatusServiceUnavailable)
			return
		}
	default:
		fmt.Fprintln(w, "ok")
	}
}

func (d *Daemon) serveMetrics(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4")
	d.set.WritePrometheus(w)
	metrics.WriteProcessMetrics(w)
}

func (d *Daemon) serveStatus(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	_ = enc.Encode(d.Status()) // the reader has gone
}
