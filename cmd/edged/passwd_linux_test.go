package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"

	"edged/test/await"
	"edged/test/need"

	"golang.org/x/sys/unix"
)

// terminal opens a pseudo-terminal: what is written to keyboard comes out of tty, and what tty shows is in screen.
func terminal(t *testing.T) (keyboard, tty *os.File, screen *await.Log) {
	t.Helper()
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		need.Missing(t, "there are no pseudo-terminals here")
	}
	if err := unix.IoctlSetPointerInt(int(keyboard.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(keyboard.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	tty, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	screen = &await.Log{}
	read := make(chan struct{})
	go func() { _, _ = io.Copy(screen, keyboard); close(read) }()
	t.Cleanup(func() {
		_, _ = io.WriteString(keyboard, "\n") // ends a read of a test that failed
		_ = tty.Close()                       // ends the copying
		<-read
		_ = keyboard.Close()
	})
	return keyboard, tty, screen
}

func shows(t *testing.T, tty *os.File) bool {
	t.Helper()
	state, err := unix.IoctlGetTermios(int(tty.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return state.Lflag&unix.ECHO != 0
}

type answer struct {
	password string
	err      error
}

// ask begins to ask for a password, and types into the terminal what is to be typed at each prompt.
func ask(t *testing.T, typed ...string) (got <-chan answer, keyboard, tty *os.File, screen *await.Log) {
	t.Helper()
	keyboard, tty, screen = terminal(t)
	answers := make(chan answer, 1)
	go func() {
		password, err := newPassword(tty, tty, "pump")
		answers <- answer{password, err}
	}()
	for i, text := range typed {
		await.Soon(t, "the prompt, and nothing is shown any more", func() bool { return screen.Count(": ") == i+1 && !shows(t, tty) })
		if _, err := io.WriteString(keyboard, text); err != nil {
			t.Fatal(err)
		}
	}
	return answers, keyboard, tty, screen
}

func TestPasswordsAreNotShown(t *testing.T) {
	answers, _, tty, screen := ask(t, "hush hush\n", "hush hush\n")
	if a := <-answers; a.password != "hush hush" || a.err != nil {
		t.Errorf("%+v", a)
	}
	if !shows(t, tty) {
		t.Error("the terminal shows nothing any more")
	}
	fmt.Fprintln(tty, "the end")
	await.Soon(t, "the screen is complete", func() bool { return screen.Count("the end") == 1 })
	if strings.Contains(screen.String(), "hush") || screen.Count("New password of pump: ") != 1 || screen.Count("The same again: ") != 1 {
		t.Errorf("on the screen:\n%s", screen)
	}
}

func TestPasswordsThatDiffer(t *testing.T) {
	answers, _, _, _ := ask(t, "hush hush\n", "hush husk\n")
	if a := <-answers; a.err == nil || !strings.Contains(a.err.Error(), "differ; nothing was changed") || strings.Contains(a.err.Error(), "hush") {
		t.Errorf("%v", a.err)
	}
}

// TestASignalLeavesTheTerminalAsItWas: the signal comes as Ctrl-C would send it.
func TestASignalLeavesTheTerminalAsItWas(t *testing.T) {
	answers, keyboard, tty, _ := ask(t, "hush")
	if err := syscall.Kill(os.Getpid(), syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if a := <-answers; a.err == nil || !strings.Contains(a.err.Error(), "interrupted") {
		t.Errorf("%v", a.err)
	}
	if !shows(t, tty) {
		t.Error("the terminal shows nothing any more")
	}
	// The read goes on until there is a line; then it makes the terminal show again, on a descriptor that must still be this one.
	state, err := unix.IoctlGetTermios(int(tty.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	state.Lflag &^= unix.ECHO
	if err := unix.IoctlSetTermios(int(tty.Fd()), unix.TCSETS, state); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(keyboard, "\n"); err != nil {
		t.Fatal(err)
	}
	await.Soon(t, "the read ends", func() bool { return shows(t, tty) })
}
