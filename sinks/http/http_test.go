package http

import (
	"bytes"
	"context"
	"fmt"
	nethttp "net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"edged"
	"edged/internal/conf"
	"edged/sinks/encode"
	"edged/sinks/sinktest"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestConformance(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"ndjson":     func(*Config) {},
		"json, gzip": func(c *Config) { c.Format, c.Compress = "json", "gzip" },
	} {
		t.Run(name, func(t *testing.T) {
			sinktest.Run(t, func(t *testing.T) sinktest.Harness {
				s := newServer(t, nil)
				c := Default()
				c.URL = s.URL + "/ingest"
				change(c)
				e := env(t)
				h := sinktest.Harness{
					Guarantee: sinktest.Keyed,
					New:       func() edged.Sink { return c.New(e) },
					Encode:    encode.AppendNDJSON,
					Arrived:   s.arrivals,
					Refuse:    s.refuse,
					Hang:      s.hang,
				}
				if c.Format == "json" {
					h.Encode = encode.AppendJSON
				}
				return h
			})
		})
	}
}

func TestHeaders(t *testing.T) {
	s := newServer(t, nil)
	e := env(t)
	token := filepath.Join(e.DataDir, "token")
	write(t, token, " s3cret\n")
	c := Default()
	c.URL, c.Compress, c.TokenFile = s.URL, "gzip", "token"
	c.Headers = conf.Pairs{{Key: "X-Site", Value: "7"}, {Key: "user-agent", Value: "pump"}}
	sink := open(t, c, e)
	for _, secret := range []string{"s3cret", "n3w"} { // it is read again
		write(t, token, secret)
		if _, _, err := sink.Write(t.Context(), []edged.Delivery{row("k", "a")}); err != nil {
			t.Fatal(err)
		}
		h := s.heads[len(s.heads)-1]
		for name, want := range map[string]string{
			"Authorization": "Bearer " + secret, "X-Site": "7", "User-Agent": "pump", "Idempotency-Key": "k",
			"Content-Type": "application/x-ndjson", "Content-Encoding": "gzip",
		} {
			if got := h.Get(name); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
	}
	if len(s.conns) != 1 {
		t.Errorf("%d connections, want one that is kept", len(s.conns))
	}
	if err := os.Remove(token); err != nil {
		t.Fatal(err)
	}
	_, _, err := sink.Write(t.Context(), []edged.Delivery{row("k", "a")})
	if err == nil || !strings.HasPrefix(err.Error(), "token_file: there is no file ") || !strings.HasSuffix(err.Error(), "; its rows wait in the store") {
		t.Errorf("got %v", err)
	}
}

func TestBasic(t *testing.T) {
	s := newServer(t, nil)
	e := env(t)
	write(t, filepath.Join(e.DataDir, "password"), "pa:ss\n")
	c := Default()
	c.URL, c.Format, c.Basic = s.URL, "json", Basic{Username: "site7", PasswordFile: "password"}
	if _, _, err := open(t, c, e).Write(t.Context(), []edged.Delivery{row("k", "a")}); err != nil {
		t.Fatal(err)
	}
	r := nethttp.Request{Header: s.heads[0]}
	if user, password, ok := r.BasicAuth(); user != "site7" || password != "pa:ss" || !ok || s.heads[0].Get("Content-Type") != "application/json" {
		t.Error(s.heads[0])
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestTooLargeIsNotSent: a body over max_packet_size is too large, to be split, and the ones before it are done.
func TestTooLargeIsNotSent(t *testing.T) {
	s := newServer(t, nil)
	c := Default()
	c.URL, c.MaxPacketSize = s.URL, 100
	sink := open(t, c, env(t))
	done, _, err := sink.Write(t.Context(), []edged.Delivery{row("1", "a"), row("2", strings.Repeat("b", 100)), row("3", "c")})
	if done != 1 || edged.ClassOf(err) != edged.TooLarge || len(s.arrivals()) != 1 {
		t.Fatal(done, err, s.arrivals())
	}
	if want := "the body would be 122 bytes, more than max_packet_size (100)"; err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestTimeoutCoversTheAnswer(t *testing.T) {
	for name, begin := range map[string]func(nethttp.ResponseWriter){
		"no answer": func(nethttp.ResponseWriter) {},
		"an answer that does not end": func(w nethttp.ResponseWriter) {
			w.WriteHeader(500)
			fmt.Fprint(w, "wait")
			nethttp.NewResponseController(w).Flush()
		},
	} {
		t.Run(name, func(t *testing.T) {
			release := make(chan struct{})
			s := newServer(t, func(w nethttp.ResponseWriter, r *nethttp.Request) bool {
				begin(w)
				<-release
				return true
			})
			c := Default()
			c.URL = s.URL
			if err := c.Timeout.SetTOML("50ms"); err != nil {
				t.Fatal(err)
			}
			sink := open(t, c, env(t))
			_, _, err := sink.Write(t.Context(), []edged.Delivery{row("k", "a")})
			close(release)
			if err == nil || edged.ClassOf(err) != edged.Retryable {
				t.Fatal(err)
			}
			if want := "no answer within 50ms"; name == "no answer" && !strings.HasSuffix(err.Error(), want) {
				t.Errorf("%v, want %s", err, want)
			}
		})
	}
}

// TestAnAnswerBeforeTheBodyWasRead: the buffer of the first request is used for the second while the transport may still
// hold on to it; the race detector watches, and the second body arrives whole.
func TestAnAnswerBeforeTheBodyWasRead(t *testing.T) {
	s := newServer(t, func(w nethttp.ResponseWriter, r *nethttp.Request) bool {
		if r.Header.Get("Idempotency-Key") == "early" {
			w.WriteHeader(503)
			return true
		}
		return false
	})
	c := Default()
	c.URL = s.URL
	sink := open(t, c, env(t))
	large := strings.Repeat("x", 8<<20)
	for i := range 5 {
		if _, _, err := sink.Write(t.Context(), []edged.Delivery{row("early", large)}); err == nil {
			t.Fatal("503 was taken for an answer")
		}
		late := row(fmt.Sprint("late", i), strings.Repeat(fmt.Sprint(i), 1<<20))
		if _, _, err := sink.Write(t.Context(), []edged.Delivery{late}); err != nil {
			t.Fatal(err)
		}
		if got := s.arrivals(); !bytes.Equal(got[i].Body, encode.AppendNDJSON(nil, late.Rows)) {
			t.Fatalf("body %d arrived broken", i)
		}
	}
}

func TestNoRowsNoRequest(t *testing.T) {
	s := newServer(t, nil)
	c := Default()
	c.URL = s.URL
	done, _, err := open(t, c, env(t)).Write(t.Context(), []edged.Delivery{{Key: "k", Rows: &edged.Rows{Stream: "s"}}})
	if done != 1 || err != nil || len(s.arrivals()) > 0 {
		t.Fatal(done, err, s.arrivals())
	}
}

func TestNobodyListens(t *testing.T) {
	s := newServer(t, nil)
	c := Default()
	c.URL = s.URL + "/ingest?api_key=s3cret"
	s.Close()
	_, _, err := open(t, c, env(t)).Write(t.Context(), []edged.Delivery{row("k", "a")})
	if err == nil || edged.ClassOf(err) != edged.Retryable || !strings.Contains(err.Error(), "connection refused") || strings.Contains(err.Error(), "s3cret") {
		t.Fatal(err)
	}
}

func TestCancelledBeforeItBegins(t *testing.T) {
	s := newServer(t, nil)
	c := Default()
	c.URL = s.URL
	sink := open(t, c, env(t))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if done, _, err := sink.Write(ctx, []edged.Delivery{row("k", "a")}); done != 0 || err != context.Canceled || len(s.arrivals()) > 0 {
		t.Fatal(done, err)
	}
}

func TestRequestsAreCounted(t *testing.T) {
	s := newServer(t, func(w nethttp.ResponseWriter, r *nethttp.Request) bool {
		if r.Header.Get("Idempotency-Key") == "bad" {
			w.WriteHeader(422)
			return true
		}
		return false
	})
	c, e := Default(), env(t)
	c.URL = s.URL
	sink := open(t, c, e)
	sink.Write(t.Context(), []edged.Delivery{row("1", "a"), row("2", "a"), row("bad", "a"), row("3", "a")})
	var b bytes.Buffer
	e.Metrics.WritePrometheus(&b)
	for _, want := range []string{
		`edged_sink_http_requests_total{sink="cloud",code="2xx"} 2`,
		`edged_sink_http_requests_total{sink="cloud",code="4xx"} 1`,
		`edged_sink_http_bytes_total{sink="cloud"} ` + fmt.Sprint(3*len(encode.AppendNDJSON(nil, row("", "a").Rows))),
	} {
		if !strings.Contains(b.String(), want+"\n") {
			t.Errorf("no %s in\n%s", want, &b)
		}
	}
}
