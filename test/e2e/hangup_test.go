package e2e

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"edged/test/await"
	"edged/test/harness"
)

// SIGHUP has the files read again that the configuration names, and nothing stops for it. A changed file needs no signal.
func TestAHangupReadsFilesAgain(t *testing.T) {
	t.Parallel()
	e := harness.New(t, strings.Replace(fmt.Sprintf(base, ""), "[broker]", "token_file = \"token\"\n[broker]", 1))
	path := filepath.Join(e.Dir, "token")
	put := func(token string) {
		t.Helper()
		if err := os.WriteFile(path+".tmp", []byte(token), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".tmp", path); err != nil {
			t.Fatal(err)
		}
	}
	lets := func(token string) bool {
		req, _ := http.NewRequest(http.MethodGet, e.URL("/api/status"), nil)
		req.Header.Set("Authorization", "Bearer "+token)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res.StatusCode == http.StatusOK
	}
	const first, second = "the first token of it", "the second token of it"
	put(first)
	e.Start()
	if !lets(first) || lets(second) {
		t.Fatal("the first token is not the right one")
	}
	put(second)
	harness.Until(t, 10*time.Second, "the second token is right, without a signal", func() bool { return lets(second) })
	if lets(first) {
		t.Error("the first token is still right")
	}
	for n := 1; n <= 3; n++ {
		syscall.Kill(e.PID(), syscall.SIGHUP)
		harness.Until(t, 5*time.Second, "SIGHUP is answered in the log", func() bool { return strings.Count(e.Log(), `read=[http]`) == n })
	}
	publish(t, e.Broker, "-q", "1", "-t", "site/7/gpio/3", "-m", "1")
	if err := e.Stop(); err != nil {
		t.Errorf("stopped with %v", err)
	}
}

// SIGHUP does not end a gateway that is still reading its configuration: it reads a pipe here, into which nothing was written
// yet.
func TestAHangupDuringTheStart(t *testing.T) {
	t.Parallel()
	e := harness.New(t, fmt.Sprintf(base, ""))
	text, err := os.ReadFile(e.File)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(e.File); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(e.File, 0o600); err != nil {
		t.Fatal(err)
	}
	e.Launch()
	pipe, err := os.OpenFile(e.File, os.O_WRONLY, 0) // waits for the reader
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()
	syscall.Kill(e.PID(), syscall.SIGHUP)
	if _, err := pipe.Write(text); err != nil {
		t.Fatal(err)
	}
	pipe.Close()
	e.Ready()
	harness.Until(t, 5*time.Second, "the signal is answered once it runs", func() bool { return strings.Contains(e.Log(), "why=SIGHUP") && strings.Contains(e.Log(), "read=[]") })
	if err := e.Stop(); err != nil {
		t.Errorf("stopped with %v", err)
	}
}

// A demonstration outlives SIGHUP, too: it ends by itself later, with 0.
func TestAHangupDuringTheDemonstration(t *testing.T) {
	t.Parallel()
	log := &await.Log{}
	cmd := exec.Command(harness.Binary(t, "edged/cmd/edged"), "demo", "--data-dir", t.TempDir())
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	await.Soon(t, "the demonstration runs", func() bool { return log.Count("Ctrl-C ends it") == 1 })
	for range 2 {
		if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ended with %v\n%s", err, log)
	}
}
