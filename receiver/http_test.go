package receiver

import (
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"edged"
	"edged/internal/conf"
	"edged/test/await"
	"edged/test/selfsigned"

	"github.com/VictoriaMetrics/metrics"
)

func TestTheAnswerFollowsTheCommit(t *testing.T) {
	b := &book{}
	l := listen(t, b, nil)
	got := l.later("/ingest/site/1", "application/json", `[{"v": 1}, 2, "x"]`)
	b.commit(t, 2, nil)
	select {
	case a := <-got:
		t.Fatalf("answered before the last message was stored: %+v", a)
	case <-time.After(50 * time.Millisecond): // there is no event for what must not happen
	}
	b.commit(t, 1, nil)
	if a := <-got; a.status != 204 || a.text != "" {
		t.Errorf("%+v", a)
	}
	if want := []string{`site/1 {"v": 1}`, "site/1 2", `site/1 "x"`}; !slices.Equal(b.list(), want) {
		t.Errorf("%q", b.list())
	}
}

func TestWhatIsNotStoredIsRefused(t *testing.T) {
	refused := func(t *testing.T, a answered, why string) {
		t.Helper()
		if a.status != 503 || a.header.Get("Retry-After") == "" || !strings.Contains(a.text, why) || a.header.Get("Content-Type") != "application/json" {
			t.Errorf("%+v", a)
		}
	}
	t.Run("a commit that fails", func(t *testing.T) {
		b := &book{}
		l := listen(t, b, nil)
		got := l.later("/ingest/site/1", "text/plain", "1\n2\n")
		b.commit(t, 1, nil)
		b.commit(t, 1, errors.New("EIO"))
		refused(t, <-got, "again")
	})
	t.Run("a full store", func(t *testing.T) {
		l := listen(t, &book{full: true}, func(c *HTTP) { c.Timeout = conf.Duration(20 * time.Millisecond) })
		refused(t, l.post("/ingest/site/1", "text/plain", "1"), "full")
	})
	t.Run("a commit that does not come", func(t *testing.T) {
		l := listen(t, &book{}, func(c *HTTP) { c.Timeout = conf.Duration(20 * time.Millisecond) })
		refused(t, l.post("/ingest/site/1", "text/plain", "1"), "in time")
	})
	t.Run("too many bodies", func(t *testing.T) {
		b := &book{auto: true}
		l := listen(t, b, func(c *HTTP) { c.MaxBytes = 10; c.Timeout = conf.Duration(20 * time.Millisecond) })
		for range 3 { // room is given back
			if a := l.post("/ingest/site/1", "text/plain", "123456"); a.status != 204 {
				t.Errorf("%+v", a)
			}
		}
		refused(t, l.post("/ingest/site/1", "text/plain", "123456789ab"), "too many bodies")
	})
}

func TestAStopAnswersWhatIsCommitted(t *testing.T) {
	b := &book{}
	l := listen(t, b, nil)
	stored, left := l.later("/ingest/site/1", "text/plain", "1"), l.later("/ingest/site/2", "text/plain", "2\n3")
	await.Soon(t, "all are taken", func() bool { return len(b.list()) == 3 })
	l.cancel()
	await.Soon(t, "nobody is let in any more", func() bool {
		c, err := net.Dial("tcp", strings.TrimPrefix(l.url, "http://"))
		if err == nil {
			c.Close()
		}
		return err != nil
	})
	b.mu.Lock()
	for i, m := range b.got { // only the first body is stored
		if strings.HasPrefix(m, "site/1") {
			b.acks[i](nil)
		}
	}
	b.mu.Unlock()
	if a := <-stored; a.status != 204 {
		t.Errorf("what was stored: %+v", a)
	}
	if a := <-left; a.status == 204 {
		t.Errorf("what was not stored: %+v", a)
	}
	if err := <-l.ended; err != nil {
		t.Error(err)
	}
	l.ended <- nil
}

func TestARepeatIsNotStoredTwice(t *testing.T) {
	b := &book{}
	l := listen(t, b, func(c *HTTP) { c.Timeout = conf.Duration(5 * time.Second) })
	post := func(body string) <-chan answered {
		return l.later("/ingest/site/1", "text/plain", body, "Idempotency-Key", "k1")
	}
	first := post("1")
	await.Soon(t, "it is taken", func() bool { return len(b.list()) == 1 })
	if a := <-post("1"); a.status != 409 || a.header.Get("Retry-After") == "" {
		t.Errorf("while the first is under way: %+v", a)
	}
	b.commit(t, 1, errors.New("EIO"))
	if a := <-first; a.status != 503 {
		t.Errorf("%+v", a)
	}
	second := post("1") // that one was not stored
	b.commit(t, 1, nil)
	if a := <-second; a.status != 204 {
		t.Errorf("%+v", a)
	}
	if a := <-post("1"); a.status != 204 || len(b.list()) != 2 {
		t.Errorf("%+v, taken %q", a, b.list())
	}
	if a := <-post("2"); a.status != 422 || len(b.list()) != 2 {
		t.Errorf("%+v, taken %q", a, b.list())
	}
}

func TestKeysAreForgottenOneByOne(t *testing.T) {
	r := newRepeats(2)
	d := digestOf("t", "", nil)
	for _, k := range []string{"a", "b", "a", "c"} {
		if r.meet(k, d) == fresh {
			r.done(k, true)
		}
	}
	if r.meet("a", d) != repeated || len(r.keys) != 2 || r.order.Len() != 2 || r.meet("b", d) != fresh {
		t.Error("the key that was used longest ago is the one to forget")
	}
}

func TestTheTokenIsAsked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	set := func(token string) { ok(t, os.WriteFile(path, []byte(token), 0o600)) }
	set("0123456789abcdef")
	b := &book{auto: true}
	l := listen(t, b, func(c *HTTP) { c.TokenFile = path })
	post := func(header ...string) int { return l.post("/ingest/site/1", "text/plain", "1", header...).status }
	if post() != 401 || post("Authorization", "Bearer 0123456789abcdeX") != 401 || len(b.list()) > 0 {
		t.Error("strangers are let in")
	}
	if post("Authorization", "Bearer 0123456789abcdef") != 204 {
		t.Error("the token is refused")
	}
	set("fedcba9876543210")
	ok(t, l.reload())
	if post("Authorization", "Bearer 0123456789abcdef") != 401 || post("Authorization", "Bearer fedcba9876543210") != 204 {
		t.Error("a new token is not read")
	}
	if a := l.send("GET", "/nowhere", "", nil); a.status != 401 {
		t.Errorf("strangers learn which paths there are: %+v", a)
	}
}

func TestTLS(t *testing.T) {
	cert, key, err := selfsigned.New(time.Now().Add(time.Hour))
	ok(t, err)
	dir := t.TempDir()
	ok(t, os.WriteFile(filepath.Join(dir, "cert"), cert, 0o600))
	ok(t, os.WriteFile(filepath.Join(dir, "key"), key, 0o600))
	l := listen(t, &book{auto: true}, func(c *HTTP) { c.TLS.Cert, c.TLS.Key = filepath.Join(dir, "cert"), filepath.Join(dir, "key") })
	l.url = strings.Replace(l.url, "http:", "https:", 1)
	if a := l.post("/ingest/site/1", "text/plain", "1"); a.status != 204 {
		t.Errorf("%+v", a)
	}
}

// An address that is taken may be free later.
func TestAnAddressThatIsTaken(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ok(t, err)
	defer l.Close()
	c := DefaultHTTP()
	c.Listen = l.Addr().String()
	err = c.New(Env{Log: slog.New(slog.DiscardHandler), Metrics: metrics.NewSet()}).Run(t.Context(), &book{})
	if err == nil || edged.ClassOf(err) != edged.Retryable || !strings.Contains(err.Error(), c.Listen) {
		t.Error(err)
	}
}
