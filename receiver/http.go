package receiver

import (
	"fmt"
	"net"
	"strings"
	"time"

	"edged"
	"edged/internal/conf"
	"edged/internal/guard"
	"edged/internal/secret"
	"edged/internal/topic"
)

// HTTP is the kind http: a listener that takes readings with POST, one or many in a body, and answers when they are stored.
//
// 204 says that every message of the body is on disk. After any other answer, or none, the client sends the whole body again:
// a body's messages may be in several blocks, so that some of them can be stored although the answer was no; these come twice.
// With an Idempotency-Key header a body that was stored whole is not stored again, as long as edged runs and remembers the key.
type HTTP struct {
	Listen         string        `toml:"listen" doc:"address of the listener. One that other machines can reach needs token_file, or allow_anonymous"`
	Path           string        `toml:"path" doc:"URL path; what follows it is the topic: POST /ingest/site/1/temp. Or POST /ingest?topic=site/1/temp. By Content-Type a body is one message or, if it is a list, one for each element (application/json), one for each line (application/x-ndjson, text/plain), or one message as it is (application/octet-stream, application/cbor, application/senml+json, application/senml+cbor). Content-Encoding: gzip is understood. The answer is 204 when all of it is stored; after any other the whole body is to be sent again, with the same Idempotency-Key if it has one"`
	Topics         []string      `toml:"topics" doc:"topic filters, MQTT wildcards allowed: other topics are refused"`
	TokenFile      string        `toml:"token_file" doc:"file with a token of at least 16 characters (openssl rand -hex 32) that every request must carry, as Authorization: Bearer TOKEN. Relative to the systemd credentials or data_dir. Read again when the file changes, and on SIGHUP"`
	AllowAnonymous bool          `toml:"allow_anonymous" doc:"take readings from everybody who can reach the address, without a token"`
	TLS            secret.Pair   `toml:"tls" doc:"speak https"`
	MaxBody        conf.Size     `toml:"max_body" doc:"largest body, also after it was unpacked; at most 10000 messages are in one. A larger one is refused (413)"`
	MaxBytes       conf.Size     `toml:"max_bytes" doc:"bytes of all bodies that are worked on at the same time; further ones wait"`
	MaxConnections int           `toml:"max_connections" doc:"connections from other machines at the same time, and as many from this one; further ones are closed at once"`
	Timeout        conf.Duration `toml:"timeout" doc:"how long a body may wait for room and until it is stored; past that the answer is 503"`
}

// DefaultHTTP returns the defaults.
func DefaultHTTP() *HTTP {
	return &HTTP{Listen: "127.0.0.1:8081", Path: "/ingest", MaxBody: 1 << 20, MaxBytes: 8 << 20, MaxConnections: 64, Timeout: conf.Duration(10 * time.Second)}
}

// Fields implements Config.
func (c *HTTP) Fields() []any { return []any{c} }

// Check implements Config.
func (c *HTTP) Check(t *conf.Table, env Env) {
	if len(c.Topics) == 0 {
		t.Errorf("topics", `[%s] needs topics, for example topics = ["site/#"]`, t.Title())
	}
	for _, f := range c.Topics {
		if err := topic.CheckFilter(f); err != nil {
			t.Itemf("topics", "topics: %q: %v", f, err)
		}
	}
	if !strings.HasPrefix(c.Path, "/") || strings.ContainsAny(c.Path, "?#%") || strings.Contains(c.Path, "//") {
		t.Errorf("path", `path: %q is no path of a URL; write one such as "/ingest"`, c.Path)
	}
	c.Path = strings.TrimSuffix(c.Path, "/")
	if c.MaxBody < 1<<10 || c.MaxBody > 16<<20 {
		t.Errorf("max_body", "max_body: want between 1KiB and 16MiB; have %v", c.MaxBody)
	}
	if !t.Bad("max_body") && c.MaxBytes < c.MaxBody {
		t.Errorf("max_bytes", "max_bytes: it must be at least max_body (%v)", c.MaxBody)
	}
	if c.MaxConnections < 1 {
		t.Errorf("max_connections", "max_connections: it must be at least 1")
	}
	if c.Timeout <= 0 || c.Timeout.D() > time.Minute {
		t.Errorf("timeout", `timeout: want between "1ms" and "1m"; have %q`, c.Timeout)
	}
	c.checkListen(t)
	c.checkFiles(t, env.DataDir)
}

func (c *HTTP) checkListen(t *conf.Table) {
	if t.Bad("listen") {
		return
	}
	host, port, err := net.SplitHostPort(c.Listen)
	switch {
	case err != nil || port == "":
		t.Errorf("listen", `listen: %q is not an address; write HOST:PORT, such as "127.0.0.1:8081"`, c.Listen)
	case conf.Loopback(host):
	case c.TokenFile == "" && !c.AllowAnonymous && !t.Bad("token_file"):
		t.Errorf("listen", "listen: other machines can reach %s, and nothing asks them for a token; make one, as root, with openssl rand -hex 32 > /etc/edged/secrets/%s-token, and write token_file = %q; or listen on 127.0.0.1, or set allow_anonymous = true", c.Listen, t.Name(), t.Name()+"-token")
	case c.TLS == secret.Pair{} && c.TokenFile != "":
		t.Notef("listen", "listen: %s speaks plain HTTP: the token and the readings travel readable; tls = { cert, key } hides them", c.Listen)
	}
	if c.AllowAnonymous && c.TokenFile != "" {
		t.Errorf("allow_anonymous", "allow_anonymous: with a token_file nobody is anonymous; leave one of them out")
	}
}

// checkFiles reads what the receiver will read.
func (c *HTTP) checkFiles(t *conf.Table, dir string) {
	if c.TokenFile != "" {
		if _, err := guard.ReadToken(c.TokenFile, dir); err != nil {
			t.Placef("token_file", "token_file: %v", err)
		}
	}
	pair, err := c.TLS.Load(dir)
	switch {
	case (c.TLS.Cert == "") != (c.TLS.Key == ""):
		t.Errorf("tls", "tls: cert and key belong together; name both, or none")
	case err != nil:
		t.Placef("tls", "tls: %v", err)
	case pair != nil && time.Now().After(pair.Leaf.NotAfter):
		t.Notef("tls", "tls: the certificate in %s has expired on %s; clients will refuse it", secret.Find(c.TLS.Cert, dir), pair.Leaf.NotAfter.Format(time.DateOnly))
	}
}

// Covers implements Config.
func (c *HTTP) Covers() []string { return c.Topics }

// New implements Config.
func (c *HTTP) New(env Env) edged.Receiver {
	count := func(what string) func() {
		return env.Metrics.GetOrCreateCounter(fmt.Sprintf("edged_receiver_%s_total{receiver=%q}", what, env.Name)).Inc
	}
	i := &ingest{
		HTTP: *c, log: env.Log.With("receiver", env.Name), repeats: newRepeats(maxRepeats),
		guard:   guard.New(guard.Config{TokenFile: c.TokenFile, TLS: c.TLS, Dir: env.DataDir}),
		refused: count("http_refused"), shut: count("http_connections_refused"),
	}
	if files := i.guard.Files(); len(files) > 0 && env.Reload != nil {
		env.Reload("receiver."+env.Name, files, i.guard.Reload)
	}
	return i
}
