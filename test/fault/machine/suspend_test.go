//go:build linux

package machine

import (
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"

	"edged/test/harness"
)

// asleep is printed before the machine is suspended; the host wakes it after a nap.
const (
	asleep = "the machine sleeps"
	nap    = 5 * time.Second
)

// suspend puts the whole machine to sleep (s2idle, in which a user-mode Linux's monotonic time goes on).
func suspend(t *testing.T, _ *harness.Edged) {
	before := time.Now()
	fmt.Println("\n" + asleep)
	if err := os.WriteFile("/sys/power/state", []byte("freeze"), 0); err != nil {
		t.Fatal(err)
	}
	if d := time.Since(before); d < nap/2 {
		t.Fatalf("the machine slept for %v only", d)
	}
}

// sleepLong is an hour of sleep as the gateway sees it where monotonic time stops too: stopped, and when it goes on the wall clock is an hour ahead.
func sleepLong(t *testing.T, e *harness.Edged) {
	signal(t, e, syscall.SIGSTOP)
	set(t, time.Now().Add(time.Hour))
	signal(t, e, syscall.SIGCONT)
}

// freeze stops the gateway, and nothing else.
func freeze(t *testing.T, e *harness.Edged) {
	signal(t, e, syscall.SIGSTOP)
	time.Sleep(nap) // the fault itself
	signal(t, e, syscall.SIGCONT)
}

func signal(t *testing.T, e *harness.Edged, s syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(e.PID(), s); err != nil {
		t.Fatal(err)
	}
}
