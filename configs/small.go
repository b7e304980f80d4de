package configs

import (
	"net"

	"edged/internal/conf"
)

// Log is the [log] table.
type Log struct {
	Level  string `toml:"level" doc:"debug, info, warn or error"`
	Format string `toml:"format" doc:"text or json"`
}

func defaultLog() *Log { return &Log{Level: "info", Format: "text"} }

func loadLog(t *conf.Table) *Log {
	l := defaultLog()
	if t == nil {
		return l
	}
	t.Bind(l)
	t.OneOf("level", l.Level, "debug", "info", "warn", "error")
	t.OneOf("format", l.Format, "text", "json")
	return l
}

// HTTP is the [http] table.
type HTTP struct {
	Listen string `toml:"listen" doc:"address of health, metrics and status; \"\" turns it off. Only loopback addresses: whoever reaches it may read everything"`
}

func defaultHTTP() *HTTP { return &HTTP{Listen: "127.0.0.1:8080"} }

func loadHTTP(t *conf.Table) *HTTP {
	h := defaultHTTP()
	if t == nil {
		return h
	}
	t.Bind(h)
	if h.Listen == "" || t.Bad("listen") {
		return h
	}
	host, port, err := net.SplitHostPort(h.Listen)
	if err != nil || port == "" {
		t.Errorf("listen", `listen: %q is not an address; write HOST:PORT, such as "127.0.0.1:8080"`, h.Listen)
		return h
	}
	if !conf.Loopback(host) {
		t.Errorf("listen", "listen: other machines can reach %s, and there are no credentials for it; listen on 127.0.0.1, and reach it through ssh or a proxy", h.Listen)
	}
	return h
}
