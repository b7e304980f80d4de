package daemon

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"edged/configs"
	"edged/test/await"
	"edged/test/selfsigned"
)

const token, newToken = "a-token-of-the-test", "another-token-of-the-test"

// guarded is a running gateway whose listener wants a token and speaks https.
type guarded struct {
	*Daemon
	t   *testing.T
	dir string
	log *await.Log
}

func newGuarded(t *testing.T) *guarded {
	t.Helper()
	return newGuardedWith(t, "")
}

// newGuardedWith adds lines to the [http] table.
func newGuardedWith(t *testing.T, lines string) *guarded {
	t.Helper()
	g := &guarded{t: t, dir: t.TempDir(), log: &await.Log{}}
	g.pair()
	g.replace("token", []byte(token))
	text := strings.Replace(fmt.Sprintf(gateway, g.dir), `listen = "127.0.0.1:0"`, `listen = "127.0.0.1:0"
token_file = "token"
tls = { cert = "cert.pem", key = "key.pem" }
`+lines, 1)
	c, problems, _ := configs.Load("edged.toml", []byte(text))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	d, err := New(Options{Config: c, Log: slog.New(slog.NewTextHandler(g.log, nil)), Stdout: io.Discard, Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	g.Daemon = d
	run(t, d)
	return g
}

// replace writes a file beside and renames it, as careful programs do.
func (g *guarded) replace(name string, text []byte) {
	g.t.Helper()
	path := filepath.Join(g.dir, name)
	if err := os.WriteFile(path+".tmp", text, 0o600); err != nil {
		g.t.Fatal(err)
	}
	if err := os.Rename(path+".tmp", path); err != nil {
		g.t.Fatal(err)
	}
}

func (g *guarded) pair() {
	g.t.Helper()
	cert, key, err := selfsigned.New(time.Now().Add(time.Hour))
	if err != nil {
		g.t.Fatal(err)
	}
	g.replace("key.pem", key)
	g.replace("cert.pem", cert)
}

func (g *guarded) request(ctx context.Context, path, token string) *http.Response {
	g.t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+g.HTTPAddr().String()+path, nil)
	if err != nil {
		g.t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	c := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	res, err := c.Do(req)
	if err != nil {
		g.t.Fatal(err)
	}
	return res
}

func (g *guarded) ask(path, token string) (int, string) {
	g.t.Helper()
	res := g.request(g.t.Context(), path, token)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		g.t.Fatal(err)
	}
	if (res.StatusCode == http.StatusUnauthorized) != (res.Header.Get("WWW-Authenticate") != "") {
		g.t.Errorf("%s: %d with WWW-Authenticate %q", path, res.StatusCode, res.Header.Get("WWW-Authenticate"))
	}
	return res.StatusCode, string(text)
}

// Without the token nothing is said but ok or not ok, whatever is asked for; refusals are counted, and logged once.
func TestWithoutTheTokenNothingIsSaid(t *testing.T) {
	g := newGuarded(t)
	want := uint64(0)
	for _, path := range []string{"/", "/metrics", "/api/status", "/api/tail?topic=site/%23", "/nothing", "/healthz/", "/healthz/../metrics", "//metrics"} {
		for _, tok := range []string{"", newToken} {
			if code, body := g.ask(path, tok); code != http.StatusUnauthorized || strings.Contains(body, "edged_") {
				t.Errorf("%s with %q: %d %s", path, tok, code, body)
			}
			want++
		}
	}
	if n := g.refused.Get(); n != want {
		t.Errorf("%d of %d refusals are counted", n, want)
	}
	await.Soon(t, "it is logged", func() bool { return g.log.Count("without the right token") > 0 })
	if g.log.Count("without the right token") != 1 || g.log.Count(newToken) != 0 {
		t.Errorf("the log is\n%s", g.log)
	}
	if code, body := g.ask("/metrics", token); code != http.StatusOK || !strings.Contains(body, fmt.Sprintf("edged_http_refused_total %d", want)) {
		t.Errorf("with the token: %d %s", code, body)
	}
	if code, body := g.ask("/healthz", ""); code != http.StatusOK || body != "ok\n" {
		t.Errorf("health: %d %s", code, body)
	}
	g.state.Store(stopping)
	defer g.state.Store(started)
	if code, body := g.ask("/readyz", ""); code != http.StatusServiceUnavailable || body != "not ok\n" {
		t.Errorf("a stranger hears %d %s", code, body)
	}
	if code, body := g.ask("/readyz", token); code != http.StatusServiceUnavailable || body != "stopping\n" {
		t.Errorf("who has the token hears %d %s", code, body)
	}
	if g.refused.Get() != want {
		t.Error("a probe without a token was counted as refused")
	}
}

func TestOldTLSAndPlainHTTPAreRefused(t *testing.T) {
	g := newGuarded(t)
	c, err := tls.Dial("tcp", g.HTTPAddr().String(), &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11})
	if err == nil {
		c.Close()
		t.Error("TLS 1.1 is spoken")
	}
	if code, body := get(t, g.Daemon, "/metrics"); code != http.StatusBadRequest {
		t.Errorf("plain HTTP: %d %s", code, body)
	}
}

func (g *guarded) shown() (serial string) {
	g.t.Helper()
	c, err := tls.Dial("tcp", g.HTTPAddr().String(), &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		g.t.Fatal(err)
	}
	defer c.Close()
	return c.ConnectionState().PeerCertificates[0].SerialNumber.String()
}

// A renewed certificate and a new token are taken over, and what is connected goes on.
func TestFilesAreReadAgainAndConnectionsStay(t *testing.T) {
	g := newGuarded(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	tail := g.request(ctx, "/api/tail?topic=site/%23", token)
	defer tail.Body.Close()
	before := g.shown()
	g.pair()
	await.Soon(t, "the new certificate is shown", func() bool { return g.shown() != before })
	g.replace("token", []byte(newToken))
	await.Soon(t, "the new token is right", func() bool { code, _ := g.ask("/api/status", newToken); return code == http.StatusOK })
	if code, _ := g.ask("/api/status", token); code != http.StatusUnauthorized {
		t.Errorf("the old token: %d", code)
	}
	g.replace("token", []byte("short"))
	g.Reload()
	await.Soon(t, "the short token is refused in the log", func() bool { return g.log.Count("has 5 characters") > 0 })
	if code, _ := g.ask("/api/status", newToken); code != http.StatusOK {
		t.Errorf("the token before the short one: %d", code)
	}
	if err := g.broker.Publish(t.Context(), "site/1", []byte("still there"), 1, false); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(tail.Body).ReadString('\n'); err != nil || !strings.Contains(line, "still there") {
		t.Errorf("the tail: %q, %v", line, err)
	}
}

// Connections without end do not take the process's descriptors; a token that is wrong does not keep one.
func TestStrangersKeepNoPlaces(t *testing.T) {
	g := newGuarded(t)
	var conns []net.Conn
	defer func() {
		for _, c := range conns {
			c.Close()
		}
	}()
	for range maxHTTP + 10 {
		c, err := net.Dial("tcp", g.HTTPAddr().String())
		if err != nil {
			t.Fatal(err)
		}
		conns = append(conns, c)
	}
	await.Soon(t, "those above the limit are closed", func() bool { return g.shut.Get() == 10 })
	await.Soon(t, "it is said", func() bool { return g.log.Count("too many are open") > 0 })
	if n := g.log.Count("too many are open"); n != 1 {
		t.Errorf("said %d times", n)
	}
	for _, c := range conns {
		c.Close()
	}
	await.Soon(t, "there is room again", func() bool {
		c, err := tls.Dial("tcp", g.HTTPAddr().String(), &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			return false
		}
		defer c.Close()
		fmt.Fprintf(c, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
		text, err := io.ReadAll(c) // it ends: the connection is closed
		return err == nil && strings.Contains(string(text), "401")
	})
}
