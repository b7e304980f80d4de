package passwd

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"edged/test/mosquitto"
	"edged/test/need"
)

// TestMosquittoReadsOurFiles: a real Mosquitto lets mosquitto_sub in with a file of ours, and nobody else.
func TestMosquittoReadsOurFiles(t *testing.T) {
	sub := need.Tool(t, "mosquitto_sub")
	text := []byte("# devices\n\n")
	for user, password := range made {
		line, err := Make(user, password, map[string]int{"old": 1, "long": 20_000}[user])
		if err != nil {
			t.Fatal(err)
		}
		text = Set(text, user, line)
	}
	path := filepath.Join(t.TempDir(), "passwd")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	host, port, _ := net.SplitHostPort(mosquitto.Start(t, "allow_anonymous false", "password_file "+path))
	enter := func(user, password string) error { // -E: leave when the subscription is acknowledged
		return exec.Command(sub, "-h", host, "-p", port, "-t", "x", "-E", "-u", user, "-P", password).Run()
	}
	for user, password := range made {
		if err := enter(user, password); err != nil {
			t.Errorf("%s is not let in: %v", user, err)
		}
		if enter(user, password+"x") == nil {
			t.Errorf("%s is let in with another password", user)
		}
	}
	if enter("nobody", "correct horse") == nil {
		t.Error("nobody is let in")
	}
}
