package guard

import (
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"edged/internal/secret"
	"edged/test/await"
	"edged/test/selfsigned"
)

const token, other = "0123456789abcdef", "fedcba9876543210"

func write(t *testing.T, path string, text []byte) {
	t.Helper()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

func request(header string) *http.Request {
	r, _ := http.NewRequest(http.MethodGet, "/", nil)
	if header != "" {
		r.Header.Set("Authorization", header)
	}
	return r
}

func TestWhoIsWelcome(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "token"), []byte(token+"\n"))
	g := New(Config{TokenFile: "token", Dir: dir})
	if v := g.Check(request("Bearer " + token)); v != Wrong {
		t.Errorf("before the token was read: %v", v)
	}
	if err := g.Reload(); err != nil {
		t.Fatal(err)
	}
	for header, want := range map[string]Verdict{
		"": Missing, "Bearer " + token: Welcome, "bearer  " + token: Welcome, "Bearer " + other: Wrong, "Bearer": Wrong, "Bearer ": Wrong,
		token: Wrong, "Basic " + token: Wrong, "Bearer " + token + "x": Wrong, "Bearer " + token[1:]: Wrong, "Bearer " + strings.ToUpper(token): Wrong,
	} {
		if v := g.Check(request(header)); v != want {
			t.Errorf("%q: %v, want %v", header, v, want)
		}
	}
	open := New(Config{})
	if v := open.Check(request("")); v != Missing {
		t.Errorf("without a Reload: %v", v)
	}
	if err := open.Reload(); err != nil || open.Check(request("")) != Welcome || open.TLS() != nil || len(open.Files()) != 0 {
		t.Errorf("without a token everybody is welcome: %v", err)
	}
}

// Token and certificate change together or not at all, and no error says the token.
func TestReloadIsAllOrNothing(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	pair := func() (cert, key []byte) {
		cert, key, err := selfsigned.New(time.Now().Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		write(t, at("cert"), cert)
		write(t, at("key"), key)
		return cert, key
	}
	pair()
	write(t, at("token"), []byte(token))
	g := New(Config{TokenFile: "token", TLS: secret.Pair{Cert: "cert", Key: "key"}, Dir: dir})
	if _, err := g.TLS().GetCertificate(nil); err == nil {
		t.Error("a certificate before one was read")
	}
	if err := g.Reload(); err != nil {
		t.Fatal(err)
	}
	if want := []string{at("token"), at("cert"), at("key")}; strings.Join(g.Files(), " ") != strings.Join(want, " ") {
		t.Errorf("its files are %v", g.Files())
	}
	before, _ := g.TLS().GetCertificate(nil)
	same := func(name string) {
		t.Helper()
		err := g.Reload()
		now, _ := g.TLS().GetCertificate(nil)
		if err == nil || strings.Contains(err.Error(), other) || strings.Contains(err.Error(), other[:15]) {
			t.Errorf("%s: %v", name, err)
		}
		if now != before || g.Check(request("Bearer "+token)) != Welcome || g.Check(request("Bearer "+other)) != Wrong {
			t.Errorf("%s: something has changed", name)
		}
	}
	_, key := pair()
	write(t, at("token"), []byte(other[:15]))
	same("a short token with a good pair")
	write(t, at("token"), []byte(other))
	pair()
	write(t, at("key"), key)
	same("a good token with a key of another certificate")
	if err := os.Remove(at("cert")); err != nil {
		t.Fatal(err)
	}
	same("no certificate")
	pair()
	if err := g.Reload(); err != nil {
		t.Fatal(err)
	}
	if now, _ := g.TLS().GetCertificate(nil); now == before || g.Check(request("Bearer "+other)) != Welcome || g.Check(request("Bearer "+token)) != Wrong {
		t.Error("the new files are not used")
	}
}

// from is a connection from anywhere.
type from struct {
	net.Conn
	addr   net.Addr
	closed chan struct{}
}

func (f *from) RemoteAddr() net.Addr { return f.addr }
func (f *from) Close() error         { close(f.closed); return nil }

type line chan net.Conn

func (l line) Accept() (net.Conn, error) {
	if c, ok := <-l; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}
func (l line) Close() error   { close(l); return nil }
func (l line) Addr() net.Addr { return nil }

// Strangers have their places and this machine has others; a place is free again when its connection is closed, once.
func TestConnectionsAreBounded(t *testing.T) {
	in := make(line)
	refused := make(chan net.Addr, 8)
	l := Limit(in, 2, func(a net.Addr) { refused <- a })
	defer l.Close()
	accepted := make(chan net.Conn, 8)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			accepted <- c
		}
	}()
	dial := func(ip string) *from {
		f := &from{addr: &net.TCPAddr{IP: net.ParseIP(ip)}, closed: make(chan struct{})}
		in <- f
		return f
	}
	dial("192.0.2.1")
	first := <-accepted
	dial("192.0.2.2")
	<-accepted
	late := dial("192.0.2.3")
	<-late.closed
	if a := <-refused; a != late.addr {
		t.Errorf("%v was refused", a)
	}
	for range 2 {
		dial("127.0.0.1")
		<-accepted
	}
	late = dial("::1")
	<-late.closed
	first.Close()
	dial("192.0.2.4")
	<-accepted
	late = dial("192.0.2.5")
	<-late.closed
	await.Soon(t, "both are refused", func() bool { return len(refused) == 2 })
}
