package configs

import (
	"net"
	"time"

	"edged/internal/conf"
	"edged/internal/guard"
	"edged/internal/secret"
)

// HTTP is the [http] table.
type HTTP struct {
	Listen    string      `toml:"listen" doc:"address of health, metrics and status; \"\" turns it off. Addresses that other machines can reach need token_file"`
	TokenFile string      `toml:"token_file" doc:"file with a token of at least 16 characters (openssl rand -hex 32) that every request must carry, as Authorization: Bearer TOKEN; /healthz and /readyz answer without it, ok or not ok. Relative to the systemd credentials or data_dir. Read again when the file changes, and on SIGHUP"`
	TLS       secret.Pair `toml:"tls" doc:"speak https. edged status and edged tail trust this one certificate, whoever signed it"`
	PProf     bool        `toml:"pprof" doc:"serve profiles of the running program below /debug/pprof/ to those who may ask for the rest: go tool pprof http://127.0.0.1:8080/debug/pprof/profile?seconds=10 (also heap, allocs, goroutine). For developers; taking one costs a few per cent of a processor while it lasts. A change needs a restart"`
}

func defaultHTTP() *HTTP { return &HTTP{Listen: "127.0.0.1:8080"} }

// LoadHTTP reads what a client on this machine needs to reach the gateway: the [http] table, and the directory for relative
// paths. Other tables are not looked at, and no other file is opened, so that it does for users who may read little.
func LoadHTTP(file string, text []byte) (h *HTTP, dataDir string, problems []conf.Problem) {
	doc := conf.Parse(file, text)
	t := defaultTop()
	doc.Root().Bind(t)
	h = loadHTTP(t.HTTP)
	return h, absolute(t.DataDir), doc.Problems()
}

func loadHTTP(t *conf.Table) *HTTP {
	h := defaultHTTP()
	if t == nil {
		return h
	}
	t.Bind(h)
	if sub := t.Sub("tls"); sub != nil && !sub.Bad("cert") && !sub.Bad("key") && (h.TLS.Cert == "") != (h.TLS.Key == "") {
		t.Errorf("tls", "tls: cert and key belong together; name both, or none")
	}
	if h.Listen == "" || t.Bad("listen") {
		return h
	}
	host, port, err := net.SplitHostPort(h.Listen)
	switch {
	case err != nil || port == "":
		t.Errorf("listen", `listen: %q is not an address; write HOST:PORT, such as "127.0.0.1:8080"`, h.Listen)
	case conf.Loopback(host):
	case h.TokenFile == "" && !t.Bad("token_file"):
		t.Errorf("listen", `listen: other machines can reach %s, and nothing asks them for a token; make one, as root, with openssl rand -hex 32 > /etc/edged/secrets/http-token, and write token_file = "http-token"; or listen on 127.0.0.1`, h.Listen)
	case h.TLS == secret.Pair{}:
		t.Notef("listen", "listen: %s speaks plain HTTP: the token and everything that is asked for travel readable; tls = { cert, key } hides them", h.Listen)
	}
	return h
}

// checkFiles reads what the gateway will read when it starts.
func (h *HTTP) checkFiles(t *conf.Table, dir string) {
	if t == nil || h.Listen == "" {
		return
	}
	if h.TokenFile != "" {
		if _, err := guard.ReadToken(h.TokenFile, dir); err != nil {
			t.Placef("token_file", "token_file: %v", err)
		}
	}
	if t.Bad("tls") {
		return
	}
	pair, err := h.TLS.Load(dir)
	switch {
	case err != nil:
		t.Placef("tls", "tls: %v", err)
	case pair != nil && time.Now().After(pair.Leaf.NotAfter):
		t.Notef("tls", "tls: the certificate in %s has expired on %s; clients other than edged will refuse it", secret.Find(h.TLS.Cert, dir), pair.Leaf.NotAfter.Format(time.DateOnly))
	}
}
