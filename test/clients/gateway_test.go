package clients

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"edged/test/harness"
	"edged/test/port"
)

// The users of every gateway; passwords are their names backwards.
const (
	device = "device" // publishes and reads site/# and other/#, but nothing below site/secret
	reader = "reader" // reads site/#
	pump   = "pump"   // comes with a certificate; as device, below site/pump
)

const rules = `
user device
topic readwrite site/#
topic readwrite other/#
topic deny site/secret/#
user reader
topic read site/#
user pump
topic readwrite site/pump/#
`

const config = `
data_dir = "{{dir}}"
[http]
listen = "127.0.0.1:{{http}}"
[broker]
listen = ["tcp://127.0.0.1:{{broker}}", "tls://127.0.0.1:TLS", "ws://127.0.0.1:WS", "wss://127.0.0.1:WSS", "unix://SOCKET?mode=0600"]
password_file = "passwords"
acl_file = "acl"
max_inflight = 32
[broker.tls]
cert = "CERTS/server.crt"
key = "CERTS/server.key"
client_ca = "CERTS/ca.crt"
[receiver.field]
type = "mqtt"
topics = ["site/#"]
[stream.raw]
from = ["field"]
topics = ["site/#"]
decode = "raw"
sinks = ["archive"]
[sink.archive]
type = "file"
path = "raw.ndjson"
[batch]
interval = "100ms"
`

// gateway is a running edged that listens on every transport. What is published below site/ is in its file.
type gateway struct {
	*harness.Edged
	t      testing.TB
	certs  *authority
	ports  map[string]int // by scheme
	socket string
	ledger ledger
}

// start starts a gateway; changes are pairs of old and new text of its configuration. edged check finds nothing wrong with it.
func start(t testing.TB, changes ...string) *gateway {
	t.Helper()
	g := &gateway{t: t, certs: newAuthority(t), ports: map[string]int{}}
	g.certs.client(pump)
	dir, err := os.MkdirTemp("", "edged-") // a socket's path has 107 bytes at most
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	g.socket = filepath.Join(dir, "mqtt")
	for _, scheme := range []string{"tls", "ws", "wss"} {
		g.ports[scheme] = port.Free(t)
	}
	text := strings.NewReplacer(":TLS", fmt.Sprint(":", g.ports["tls"]), ":WSS", fmt.Sprint(":", g.ports["wss"]),
		":WS", fmt.Sprint(":", g.ports["ws"]), "SOCKET", g.socket, "CERTS", g.certs.dir).Replace(config)
	g.Edged = harness.New(t, strings.NewReplacer(changes...).Replace(text))
	g.ports["tcp"] = g.Broker
	bin := harness.Binary(t, "edged/cmd/edged")
	for _, user := range []string{device, reader} {
		passwd := exec.Command(bin, "passwd", filepath.Join(g.Dir, "passwords"), user)
		passwd.Stdin = strings.NewReader(password(user) + "\n")
		if out, err := passwd.CombinedOutput(); err != nil {
			t.Fatalf("edged passwd: %v\n%s", err, out)
		}
	}
	if err := os.WriteFile(filepath.Join(g.Dir, "acl"), []byte(rules), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := harness.Run(t, bin, "check", "--config", g.File); !strings.Contains(out, "ok") || strings.Contains(out, "warning") {
		t.Errorf("edged check says\n%s", out)
	}
	g.Start()
	return g
}

func password(user string) string {
	b := []byte(user)
	for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
	return string(b)
}

// addr is the address of a listener: host and port, or the socket's path.
func (g *gateway) addr(scheme string) string {
	if scheme == "unix" {
		return g.socket
	}
	return fmt.Sprintf("127.0.0.1:%d", g.ports[scheme])
}

// trust is the TLS configuration of a client that trusts the gateway, with certificates of its own if they are named.
func (g *gateway) trust(own ...string) *tls.Config {
	g.t.Helper()
	c := &tls.Config{RootCAs: x509.NewCertPool()}
	c.RootCAs.AddCert(g.certs.cert)
	for _, name := range own {
		pair, err := tls.LoadX509KeyPair(g.certs.file(name+".crt"), g.certs.file(name+".key"))
		if err != nil {
			g.t.Fatal(err)
		}
		c.Certificates = append(c.Certificates, pair)
	}
	return c
}
