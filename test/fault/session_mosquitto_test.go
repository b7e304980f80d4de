package fault

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"edged/test/await"
	"edged/test/harness"
	"edged/test/need"
	"edged/test/port"
	"edged/test/verdict"
)

// The same case for edged and for Mosquitto, with Mosquitto's own clients: 1,001 messages with QoS 1 are acknowledged while the
// subscriber is away, the broker is killed and started again, and the subscriber comes back.
func TestSessionsWithMosquittosClients(t *testing.T) {
	t.Parallel()
	need.Tool(t, "mosquitto_sub")
	t.Run("edged", func(t *testing.T) {
		t.Parallel()
		e := sessionGateway(t, sessionConfig)
		lost := lostByMosquittosClients(t, e.Broker, "180", func() { e.Kill(); e.Start() })
		settled(t, e)
		verdict.Verdict{Fault: "sessions: kill -9, mosquitto_sub -c away, mosquitto_pub -q 1", Acked: waiting, Lost: lost}.Holds(t)
	})
	t.Run("Mosquitto", func(t *testing.T) {
		t.Parallel()
		m := newMosquitto(t)
		m.start(t)
		lost := lostByMosquittosClients(t, m.port, "3", func() { m.kill(); m.start(t) })
		verdict.Compare(t, fmt.Sprintf("%s, persistence true: lost %d of %d (the same case)", m.version(t), lost, waiting))
	})
}

// lostByMosquittosClients returns how many of the acknowledged messages the subscriber did not get within some seconds.
func lostByMosquittosClients(t *testing.T, port int, seconds string, killAndStart func()) (lost int64) {
	t.Helper()
	at := []string{"-h", "127.0.0.1", "-p", fmt.Sprint(port), "-q", "1", "-t", "free/tools"}
	session := append([]string{"-c", "-i", "tools", "-E"}, at...)
	harness.Run(t, "mosquitto_sub", session...)
	var lines strings.Builder
	for i := range waiting {
		fmt.Fprintf(&lines, "message %d\n", i)
	}
	pub := exec.Command("mosquitto_pub", append([]string{"-l"}, at...)...)
	pub.Stdin = strings.NewReader(lines.String())
	if out, err := pub.CombinedOutput(); err != nil {
		t.Fatalf("mosquitto_pub: %v: %s", err, out)
	}
	killAndStart()
	out, err := exec.Command("mosquitto_sub", append([]string{"-c", "-i", "tools", "-C", fmt.Sprint(waiting), "-W", seconds}, at...)...).Output()
	if exit, ok := err.(*exec.ExitError); err != nil && !(ok && exit.ExitCode() == 27) { // 27: the time was up
		t.Fatalf("mosquitto_sub: %v", err)
	}
	missing, _ := lostAndTwice(strings.Split(strings.TrimSpace(lines.String()), "\n"), strings.Split(strings.TrimSpace(string(out)), "\n"))
	return int64(len(missing))
}

// mosquittoBroker is a Mosquitto that can be killed and started again.
type mosquittoBroker struct {
	bin, file string
	port      int
	cmd       *exec.Cmd
}

func newMosquitto(t *testing.T) *mosquittoBroker {
	t.Helper()
	m := &mosquittoBroker{bin: need.Tool(t, "mosquitto"), port: port.Free(t), file: filepath.Join(t.TempDir(), "conf")}
	text := fmt.Sprintf("listener %d 127.0.0.1\nallow_anonymous true\nuser root\nmax_queued_messages 10000\npersistence true\npersistence_location %s/\n", m.port, t.TempDir())
	if err := os.WriteFile(m.file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.kill)
	return m
}

func (m *mosquittoBroker) start(t *testing.T) {
	t.Helper()
	m.cmd = exec.Command(m.bin, "-c", m.file)
	if err := m.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	await.Soon(t, "Mosquitto listens", func() bool {
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", m.port))
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
}

func (m *mosquittoBroker) kill() {
	if m.cmd != nil {
		_ = m.cmd.Process.Kill()
		_ = m.cmd.Wait()
		m.cmd = nil
	}
}

// version is what it calls itself: "Mosquitto 2.0.11".
func (m *mosquittoBroker) version(t *testing.T) string {
	t.Helper()
	out, _ := exec.Command(m.bin, "-h").Output() // it exits with 3 after its help
	f := strings.Fields(string(out))
	if len(f) < 3 || f[0] != "mosquitto" {
		t.Fatalf("mosquitto -h says %.80q", out)
	}
	return "Mosquitto " + f[2]
}
