// Package mosquitto runs a real Mosquitto for tests that hold our reading of its files against its own.
package mosquitto

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"edged/test/await"
	"edged/test/need"
	"edged/test/port"
)

// Start starts Mosquitto with lines of configuration and returns its address. It ends with the test. It keeps nothing.
func Start(t testing.TB, lines ...string) (addr string) {
	t.Helper()
	bin := need.Tool(t, "mosquitto")
	n := strconv.Itoa(port.Free(t))
	addr = "127.0.0.1:" + n
	file := filepath.Join(t.TempDir(), "conf")
	text := strings.Join(append([]string{"listener " + n + " 127.0.0.1", "user root", "persistence false"}, lines...), "\n") + "\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var log await.Log
	cmd := exec.Command(bin, "-v", "-c", file)
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("Mosquitto said:\n%s", log.String())
		}
	})
	await.Soon(t, "Mosquitto listens", func() bool {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
	return addr
}
