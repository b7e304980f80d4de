package chardev

import (
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"edged"

	"golang.org/x/sys/unix"
	"periph.io/x/conn/v3/driver/driverreg"
	"periph.io/x/conn/v3/gpio"
	"periph.io/x/host/v3/gpioioctl"
)

// *gpioioctl.LineSet is what Line takes it for.
var _ lineSet = (*gpioioctl.LineSet)(nil)

func TestFind(t *testing.T) {
	chips := []chip{
		{"gpiochip0", "pinctrl-bcm2711", []string{"ID_SDA", "", "GPIO17"}},
		{"gpiochip2", "mcp23017", []string{"gpiochip2-GPIO17", "PUMP_1"}}, // as the driver renames a name that is taken
	}
	for name, want := range map[string]int{"GPIO17": 0, "gpiochip2-GPIO17": 1, "PUMP_1": 1} {
		if got, err := find(chips, name); got != want || err != nil {
			t.Errorf("%s: chip %d, %v", name, got, err)
		}
	}
	_, err := find(chips, "GPI017")
	want := `no line is named "GPI017" on gpiochip0 (pinctrl-bcm2711, 3 lines), gpiochip2 (mcp23017, 2 lines); did you mean "GPIO17"?; gpioinfo (package gpiod) lists the names`
	if text(err) != want {
		t.Errorf("%v", err)
	}
}

func TestReadableChips(t *testing.T) {
	dir := t.TempDir()
	pattern := filepath.Join(dir, "gpiochip*")
	chips := func() []string {
		got, err := readableChips(pattern)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	touch := func(name string) {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}

	if _, err := readableChips(pattern); err == nil || !strings.Contains(err.Error(), "this computer has no GPIO chip") {
		t.Errorf("without a chip: %v", err)
	}
	if err := os.Symlink("gone", filepath.Join(dir, "gpiochip9")); err != nil {
		t.Fatal(err)
	}
	if _, err := readableChips(pattern); err == nil || !strings.Contains(err.Error(), "this computer has no GPIO chip") {
		t.Errorf("with a name that leads nowhere: %v", err)
	}
	touch("gpiochip0")
	one := chips()
	if err := os.Symlink("gpiochip0", filepath.Join(dir, "gpiochip4")); err != nil { // as on a Pi 5
		t.Fatal(err)
	}
	if two := chips(); len(one) != 1 || !slices.Equal(one, two) {
		t.Errorf("one chip with two names: %v, %v", one, two)
	}
	touch("gpiochip1")
	if got := chips(); len(got) != 2 {
		t.Errorf("a second chip: %v", got)
	}
	touch("new")
	if err := os.Rename(filepath.Join(dir, "new"), filepath.Join(dir, "gpiochip0")); err != nil {
		t.Fatal(err)
	}
	if got := chips(); slices.Equal(got[:1], one) {
		t.Errorf("a chip that came back under its name looks like the old one: %v", got)
	}
}

func TestAChipThatMayNotBeOpened(t *testing.T) {
	dir, err := os.MkdirTemp("", "chips")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "gpiochip0")
	if err := os.WriteFile(name, nil, 0); err != nil {
		t.Fatal(err)
	}
	if unix.Getuid() == 0 { // root may open everything: this thread becomes nobody, and ends with its goroutine
		checked := make(chan error)
		go func() {
			runtime.LockOSThread()
			if _, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, 65534, 65534, 65534); errno != 0 {
				checked <- errno
				return
			}
			_, err := readableChips(name)
			checked <- err
		}()
		err = <-checked
	} else {
		_, err = readableChips(name)
	}
	if err == nil || !strings.Contains(err.Error(), "usermod -aG gpio") {
		t.Error(err)
	}
}

func TestTooOld(t *testing.T) {
	for release, want := range map[string]bool{
		"5.10.0": false, "6.12.25+rpt-rpi-v8": false, "6.1.0-37-arm64": false, "5.9.16": true, "4.19.97-v7l+": true, "?": false,
	} {
		if tooOld(release) != want {
			t.Errorf("%s: too old %v", release, !want)
		}
	}
}

func TestPullOf(t *testing.T) {
	for pull, want := range map[string]gpio.Pull{"up": gpio.PullUp, "down": gpio.PullDown, "none": gpio.PullNoChange} {
		if got := pullOf(pull); got != want {
			t.Errorf("%s: %v", pull, got)
		}
	}
}

// TestWithoutAChip: New does not fail, and Open says what is missing, each time, as an error that is worth a retry.
func TestWithoutAChip(t *testing.T) {
	if found, _ := filepath.Glob(devices); len(found) > 0 {
		t.Skipf("this computer has GPIO chips: %v", found)
	}
	d := New(slog.New(slog.NewTextHandler(io.Discard, nil)))
	for range 2 {
		_, err := d.Open("GPIO17", "up", true)
		if err == nil || !strings.HasPrefix(err.Error(), "this computer has no GPIO chip (/dev/gpiochip*)") || edged.ClassOf(err) != edged.Retryable {
			t.Errorf("%v", err)
		}
	}
}

// TestTheDriverCanBeRunAgain: scan relies on it that the registry hands out a driver that found nothing.
func TestTheDriverCanBeRunAgain(t *testing.T) {
	if found, _ := filepath.Glob(devices); len(found) > 0 {
		t.Skipf("this computer has GPIO chips: %v", found)
	}
	state, err := driverreg.Init()
	if err != nil {
		t.Fatal(err)
	}
	impl := ioctlDriver(state)
	if impl == nil {
		t.Fatalf("no driver ioctl-gpio in %+v", state)
	}
	if ok, err := impl.Init(); ok || text(err) != "no GPIO chips found" {
		t.Errorf("%v, %v", ok, err)
	}
}

// TestKeepStdin closes descriptor 0, as the library does with a chip's second name.
func TestKeepStdin(t *testing.T) {
	saved, err := unix.FcntlInt(0, unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = unix.Dup3(saved, 0, 0)
		_ = unix.Close(saved)
	}()
	if err := unix.Close(0); err != nil {
		t.Fatal(err)
	}
	keepStdin()
	if name, err := os.Readlink("/proc/self/fd/0"); name != "/dev/null" {
		t.Errorf("descriptor 0 is %q, %v", name, err)
	}
	keepStdin() // and leaves it alone when it is open
	if name, err := os.Readlink("/proc/self/fd/0"); name != "/dev/null" {
		t.Errorf("descriptor 0 is %q, %v", name, err)
	}
}
