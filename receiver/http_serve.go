package receiver

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"edged"
	"edged/internal/guard"

	"golang.org/x/sync/semaphore"
)

const (
	headerWithin = 5 * time.Second  // for the header of a request to come
	bodyWithin   = 30 * time.Second // and for all of it
	idleWithin   = 2 * time.Minute  // between requests of a connection
	// answerWithin is how long a stop waits for what was taken to be stored, so that it can be answered.
	answerWithin = time.Second
)

// ingest is the receiver of an HTTP.
type ingest struct {
	HTTP
	log           *slog.Logger
	guard         *guard.Guard
	repeats       *repeats
	refused, shut func()
	bound         func(net.Addr) // for tests: called when it listens
}

// Run implements edged.Receiver. It ends when every request was answered or given up.
func (i *ingest) Run(ctx context.Context, h edged.Handler) error {
	if err := i.guard.Reload(); err != nil {
		return fmt.Errorf("%w; nobody is let in without it", err)
	}
	l, err := net.Listen("tcp", i.Listen)
	if err != nil {
		return fmt.Errorf("listen: %w; is another edged, or another program, using the address? (ss -ltnp)", err)
	}
	i.log.Info("readings are taken with HTTP POST", "listen", l.Addr(), "path", i.Path)
	if i.bound != nil {
		i.bound(l.Addr())
	}
	answers, giveUp := context.WithCancelCause(context.WithoutCancel(ctx))
	defer giveUp(nil)
	s := &serving{ingest: i, h: h, intake: ctx, answers: answers, room: semaphore.NewWeighted(int64(i.MaxBytes))}
	srv := &http.Server{
		Handler: s, ReadHeaderTimeout: headerWithin, ReadTimeout: bodyWithin, WriteTimeout: bodyWithin + 2*i.Timeout.D() + 5*time.Second,
		IdleTimeout: idleWithin, MaxHeaderBytes: 16 << 10, ErrorLog: slog.NewLogLogger(i.log.Handler(), slog.LevelDebug),
	}
	l = guard.Limit(l, int64(i.MaxConnections), func(net.Addr) { i.shut() })
	if c := i.guard.TLS(); c != nil {
		l = tls.NewListener(l, c)
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	select {
	case err = <-served:
		err = fmt.Errorf("the listener %s ended: %w", i.Listen, err)
	case <-ctx.Done():
		err = nil
		end, cancel := context.WithTimeout(context.Background(), answerWithin)
		_ = srv.Shutdown(end) // what is left is closed
		cancel()
		defer func() { <-served }()
	}
	giveUp(edged.ErrStopped)
	srv.Close()
	s.end()
	return err
}

// serving is one Run of an ingest.
type serving struct {
	*ingest
	h       edged.Handler
	intake  context.Context // ends when nothing more is taken in
	answers context.Context // ends when nobody is answered any more
	room    *semaphore.Weighted

	mu    sync.Mutex
	ended bool
	wg    sync.WaitGroup
}

// enter reports whether a request may still be worked on; then wg.Done is to be called.
func (s *serving) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return false
	}
	s.wg.Add(1)
	return true
}

// end waits until nothing is worked on: afterwards nothing is taken.
func (s *serving) end() {
	s.mu.Lock()
	s.ended = true
	s.mu.Unlock()
	s.wg.Wait()
}

// take gives the messages to the handler, and returns when they are stored.
func (s *serving) take(r *http.Request, topic string, messages [][]byte) error {
	ctx, cancel := s.within(r, s.intake)
	defer cancel()
	stored := newTally()
	for _, m := range messages {
		if err := s.h.Take(ctx, &edged.Message{Topic: topic, Payload: m, QoS: 1}, stored, 0); err != nil {
			return s.busy(err)
		}
	}
	ctx, cancel = s.within(r, s.answers)
	defer cancel()
	if err := stored.wait(ctx, len(messages)); err != nil {
		return s.busy(err)
	}
	return nil
}

// within ends with the request, with end, and when the request has waited for as long as it may.
func (s *serving) within(r *http.Request, end context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(r.Context(), s.Timeout.D())
	release := context.AfterFunc(end, cancel)
	return ctx, func() { release(); cancel() }
}

// busy is the answer for what could not be stored now.
func (s *serving) busy(err error) error {
	why := "the body could not be stored in time; send all of it again"
	switch {
	case s.intake.Err() != nil || errors.Is(err, edged.ErrStopped):
		why = "edged is stopping; send the whole body again"
	case errors.Is(err, edged.ErrFull):
		why = "there is no room: the store is full, or more comes than max_rate; send the whole body again later"
	}
	return answerf(http.StatusServiceUnavailable, "%s", why)
}
