package receiver

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"edged"
	"edged/test/await"

	"github.com/VictoriaMetrics/metrics"
)

// book is a generator whose test commits.
type book struct {
	mu   sync.Mutex
	got  []string
	acks []func(error)
	full bool // Take waits until its caller gives up
	auto bool // everything is stored at once
}

func (b *book) Take(ctx context.Context, m *edged.Message, ack edged.Acker, token uint64) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.full {
		b.mu.Unlock()
		<-ctx.Done()
		b.mu.Lock()
		return edged.ErrFull
	}
	b.got = append(b.got, m.Topic+" "+string(m.Payload))
	tell := func(err error) { ack.Acked(token, edged.Pos{}, err); ack.Flush() }
	if b.auto {
		go tell(nil)
	} else {
		b.acks = append(b.acks, tell)
	}
	return nil
}

// commit acknowledges the next n messages.
func (b *book) commit(t *testing.T, n int, err error) {
	t.Helper()
	await.Soon(t, "the messages are taken", func() bool { b.mu.Lock(); defer b.mu.Unlock(); return len(b.acks) >= n })
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, tell := range b.acks[:n] {
		tell(err)
	}
	b.acks = b.acks[n:]
}

func (b *book) list() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.got)
}

// listening is an ingest that runs.
type listening struct {
	*ingest
	url    string
	cancel context.CancelFunc
	ended  chan error
	client *http.Client
	reload func() error
}

func listen(t *testing.T, h edged.Handler, change func(*HTTP)) *listening {
	t.Helper()
	c := DefaultHTTP()
	c.Listen, c.Topics = "127.0.0.1:0", []string{"site/#"}
	if change != nil {
		change(c)
	}
	l := &listening{ended: make(chan error, 1)}
	l.ingest = c.New(Env{Name: "r", Log: slog.New(slog.DiscardHandler), Metrics: metrics.NewSet(), DataDir: t.TempDir(),
		Reload: func(_ string, _ []string, f func() error) { l.reload = f }}).(*ingest)
	bound := make(chan net.Addr, 1)
	l.bound = func(a net.Addr) { bound <- a }
	ctx, cancel := context.WithCancel(t.Context())
	l.cancel = cancel
	go func() { l.ended <- l.Run(ctx, h) }()
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	l.client = &http.Client{Transport: transport}
	t.Cleanup(func() { cancel(); transport.CloseIdleConnections(); <-l.ended })
	select {
	case a := <-bound:
		l.url = "http://" + a.String()
	case err := <-l.ended:
		l.ended <- nil
		t.Fatal(err)
	}
	return l
}

// answered is an answer, or why there is none.
type answered struct {
	status int
	text   string
	header http.Header
	err    error
}

func (l *listening) post(path, kind, body string, header ...string) answered {
	return l.send("POST", path, kind, strings.NewReader(body), header...)
}

func (l *listening) send(method, path, kind string, body io.Reader, header ...string) answered {
	r, err := http.NewRequest(method, l.url+path, body)
	if err != nil {
		return answered{err: err}
	}
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := l.client.Do(r)
	if err != nil {
		return answered{err: err}
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	return answered{resp.StatusCode, string(text), resp.Header, nil}
}

func (l *listening) later(path, kind, body string, header ...string) <-chan answered {
	c := make(chan answered, 1)
	go func() { c <- l.post(path, kind, body, header...) }()
	return c
}

func zipped(text string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte(text))
	_ = z.Close()
	return b.String()
}

// http1 is a client with connections of its own.
func http1() *http.Client { return &http.Client{Transport: &http.Transport{}} }
