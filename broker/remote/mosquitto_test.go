package remote

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"edged/test/await"
	"edged/test/need"
	"edged/test/port"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// mosquitto is a real Mosquitto that the test starts and stops.
type mosquitto struct {
	t    testing.TB
	bin  string
	dir  string
	port string
	cmd  *exec.Cmd
}

func newMosquitto(t testing.TB, lines ...string) *mosquitto {
	t.Helper()
	bin := need.Tool(t, "mosquitto")
	port := strconv.Itoa(port.Free(t))
	m := &mosquitto{t: t, bin: bin, dir: t.TempDir(), port: port}
	conf := append([]string{
		"listener " + port + " 127.0.0.1", "allow_anonymous true", "user root", "persistence true", "persistence_location " + m.dir + "/",
		"max_queued_messages 0", "log_type all", "log_dest file " + filepath.Join(m.dir, "log"),
	}, lines...)
	if err := os.WriteFile(filepath.Join(m.dir, "conf"), []byte(strings.Join(conf, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	m.start()
	t.Cleanup(m.stop)
	return m
}

func (m *mosquitto) start() {
	m.t.Helper()
	m.cmd = exec.Command(m.bin, "-c", filepath.Join(m.dir, "conf"))
	if err := m.cmd.Start(); err != nil {
		m.t.Fatal(err)
	}
	await.Soon(m.t, "mosquitto listens", func() bool {
		c, err := net.Dial("tcp", "127.0.0.1:"+m.port)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
}

// stop ends it; it saves its database when it is asked politely. It is asked until it hears: a signal that comes while it
// starts is lost.
func (m *mosquitto) stop() {
	if m.cmd == nil {
		return
	}
	ended := make(chan struct{})
	go func() { _ = m.cmd.Wait(); close(ended) }()
	for {
		_ = m.cmd.Process.Signal(os.Interrupt)
		select {
		case <-ended:
			m.cmd = nil
			return
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (m *mosquitto) kill() {
	_ = m.cmd.Process.Kill()
	_ = m.cmd.Wait()
	m.cmd = nil
}

// stopped stops a receiver, and waits until Mosquitto has read its last words: it would throw the last acknowledgements
// away if the same client connected again before.
func (m *mosquitto) stopped(r *running) {
	m.t.Helper()
	said := func() int {
		b, err := os.ReadFile(filepath.Join(m.dir, "log"))
		if err != nil {
			m.t.Fatal(err)
		}
		return strings.Count(string(b), "Received DISCONNECT from gateway")
	}
	before := said()
	if err := r.stop(); err != nil {
		m.t.Fatal(err)
	}
	await.Soon(m.t, "mosquitto reads the DISCONNECT", func() bool { return said() > before })
}

func (m *mosquitto) url() string { return "tcp://127.0.0.1:" + m.port }

// config of a receiver from it.
func (m *mosquitto) config() *Config {
	c := Default()
	c.Broker, c.ClientID, c.name = m.url(), "gateway", "field"
	return c
}

// publish publishes with QoS 1, and waits for the acknowledgement.
func (m *mosquitto) publish(topic string, retain bool, payloads ...string) {
	m.t.Helper()
	c := mqtt.NewClient(mqtt.NewClientOptions().AddBroker(m.url()).SetClientID(fmt.Sprint("pub", os.Getpid())).SetAutoReconnect(false))
	if tok := c.Connect(); !tok.WaitTimeout(patient) || tok.Error() != nil {
		m.t.Fatal(tok.Error())
	}
	defer c.Disconnect(1000)
	for _, p := range payloads {
		if tok := c.Publish(topic, 1, retain, p); !tok.WaitTimeout(patient) || tok.Error() != nil {
			m.t.Fatal(tok.Error())
		}
	}
}
