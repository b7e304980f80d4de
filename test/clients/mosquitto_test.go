package clients

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"edged/test/await"
	"edged/test/need"
)

// versions of MQTT, as Mosquitto's clients call them.
var versions = []string{"mqttv311", "mqttv5"}

// mosquitto is a command of Mosquitto's clients against the gateway, as a user over a transport; "tls-cert" is TLS with the
// certificate of pump, who needs no password.
func (g *gateway) mosquitto(t testing.TB, tool, transport, user string, args ...string) *exec.Cmd {
	t.Helper()
	var to []string
	switch scheme, _, _ := strings.Cut(transport, "-"); scheme {
	case "unix":
		to = []string{"--unix", g.socket}
	case "tls":
		to = []string{"-h", "127.0.0.1", "-p", fmt.Sprint(g.ports["tls"]), "--cafile", g.certs.file("ca.crt")}
	default:
		to = []string{"-h", "127.0.0.1", "-p", fmt.Sprint(g.ports[scheme])}
	}
	if user == pump {
		to = append(to, "--cert", g.certs.file("pump.crt"), "--key", g.certs.file("pump.key"))
	} else if user != "" {
		to = append(to, "-u", user, "-P", password(user))
	}
	return exec.Command(need.Tool(t, tool), append(to, args...)...)
}

// run runs a command to its end; what it says is on both its outputs.
func run(t testing.TB, cmd *exec.Cmd, stdin string) string {
	t.Helper()
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, out)
	}
	return string(out)
}

// pub publishes a message with mosquitto_pub, which ends with 0 when it was acknowledged.
func (g *gateway) pub(t testing.TB, transport, user string, m message, args ...string) {
	t.Helper()
	args = append(args, "-t", m.topic, "-q", fmt.Sprint(m.qos))
	if m.payload == "" {
		args = append(args, "-n")
	} else {
		args = append(args, "-s")
	}
	run(t, g.mosquitto(t, "mosquitto_pub", transport, user, args...), m.payload)
	if strings.HasPrefix(m.topic, "site/") {
		g.published(m)
	}
}

// sub is a running mosquitto_sub.
type sub struct {
	t     testing.TB
	cmd   *exec.Cmd
	ended chan struct{}
	mu    sync.Mutex
	got   []string // what it printed, by line
}

// sub starts mosquitto_sub with a client identifier, and waits until it is subscribed. It prints messages in a format.
func (g *gateway) sub(t testing.TB, id, transport, user, format string, args ...string) *sub {
	t.Helper()
	s := &sub{t: t, cmd: g.mosquitto(t, "mosquitto_sub", transport, user, append(args, "-i", id, "-F", format)...), ended: make(chan struct{})}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	s.cmd.Stderr = s.cmd.Stdout
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.kill)
	go s.read(bufio.NewReader(out))
	g.Subscribed(t, id, 1)
	return s
}

func (s *sub) read(out *bufio.Reader) {
	defer close(s.ended)
	for {
		line, err := out.ReadString('\n')
		if err != nil {
			return
		}
		s.mu.Lock()
		s.got = append(s.got, strings.TrimSuffix(line, "\n"))
		s.mu.Unlock()
	}
}

// kill ends it with SIGKILL: no DISCONNECT is sent.
func (s *sub) kill() {
	_ = s.cmd.Process.Kill()
	<-s.ended
	_ = s.cmd.Wait()
}

// lines waits for n messages and returns all there are.
func (s *sub) lines(n int) []string {
	s.t.Helper()
	await.Soon(s.t, fmt.Sprintf("mosquitto_sub prints %d messages", n), func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.got) >= n
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.got
}

// whole is the format in which bytes of any kind can be printed, and messages reads it.
const whole = "%q %x %t"

func (s *sub) messages(n int) (out []message) {
	s.t.Helper()
	for _, line := range s.lines(n) {
		f := strings.SplitN(line, " ", 3)
		if len(f) < 3 {
			s.t.Fatalf("mosquitto_sub printed %q", line)
		}
		payload, err := hex.DecodeString(f[1])
		if err != nil {
			s.t.Fatal(err)
		}
		out = append(out, message{f[2], string(payload), f[0][0] - '0'})
	}
	return out
}

func TestMosquittoOverEveryTransport(t *testing.T) {
	t.Parallel()
	g := start(t)
	t.Run("transports", func(t *testing.T) {
		for _, transport := range []string{"tcp", "tls", "tls-cert", "unix"} {
			for _, version := range versions {
				t.Run(transport+" "+version, func(t *testing.T) {
					t.Parallel()
					user := device
					if transport == "tls-cert" {
						user = pump
					}
					topic := "site/pump/" + transport + "/" + version
					s := g.sub(t, transport+version, transport, user, whole, "-V", version, "-q", "2", "-t", topic+"/#")
					want := samples(topic)
					for _, m := range want {
						g.pub(t, transport, user, m, "-V", version)
					}
					if err := same(want, s.messages(len(want))); err != nil {
						t.Error(err)
					}
				})
			}
		}
	})
	g.settle()
}

// One connection, many messages on their way at once.
func TestMosquittoPublishesLineByLine(t *testing.T) {
	t.Parallel()
	g := start(t)
	for qos := byte(1); qos <= 2; qos++ {
		for _, version := range versions {
			topic := fmt.Sprintf("site/lines/%d/%s", qos, version)
			s := g.sub(t, topic, "tcp", device, whole, "-V", version, "-q", "2", "-t", topic)
			var text bytes.Buffer
			var want []message
			for i := range 500 {
				fmt.Fprintf(&text, "reading %d\n", i)
				want = append(want, message{topic, fmt.Sprintf("reading %d", i), qos})
			}
			run(t, g.mosquitto(t, "mosquitto_pub", "tcp", device, "-V", version, "-t", topic, "-q", fmt.Sprint(qos), "-l"), text.String())
			g.published(want...)
			if err := same(want, s.messages(len(want))); err != nil {
				t.Errorf("QoS %d, %s: %v", qos, version, err)
			}
		}
	}
	g.settle()
}

// A broker that requires certificates lets in who has one, under its name, and nobody else.
func TestMosquittoWithRequiredCertificates(t *testing.T) {
	t.Parallel()
	g := start(t, "[receiver.field]", "require_client_cert = true\n[receiver.field]")
	g.pub(t, "tls", pump, message{"site/pump/1", "mine", 1})
	out, err := g.mosquitto(t, "mosquitto_pub", "tls", device, "-t", "site/pump/2", "-q", "1", "-m", "not mine").CombinedOutput()
	if err == nil || len(out) == 0 {
		t.Errorf("a client without a certificate is told %v: %q", err, out)
	}
	g.settle()
}
