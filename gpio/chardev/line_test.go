package chardev

import (
	"errors"
	"os"
	"testing"
	"time"

	"periph.io/x/conn/v3/gpio"
)

// fakeSet stands for *gpioioctl.LineSet. periph's own fakes (conn's gpiotest.Pin) stand for a gpio.PinIn: they report no
// errors and no direction of an edge, and wait for ever where the line set does not wait at all.
type fakeSet struct {
	bits    gpio.GPIOValue
	edge    gpio.Edge
	err     error
	timeout time.Duration // what WaitForEdge was called with
	closed  bool
}

func (f *fakeSet) Read(mask gpio.GPIOValue) (gpio.GPIOValue, error) { return f.bits & mask, f.err }

func (f *fakeSet) WaitForEdge(timeout time.Duration) (int, gpio.Edge, error) {
	f.timeout = timeout
	return 17, f.edge, f.err
}

func (f *fakeSet) Close() error {
	f.closed = true
	return nil
}

// timedOut is how a file of package os says that its deadline has passed.
var timedOut = &os.PathError{Op: "read", Path: "gpio-lineset", Err: os.ErrDeadlineExceeded}

var errGone = errors.New("no such device")

func TestWait(t *testing.T) {
	for _, c := range []struct {
		name    string
		set     fakeSet
		level   float64
		changed bool
		err     string
	}{
		{"rising", fakeSet{edge: gpio.RisingEdge}, 1, true, ""},
		{"falling", fakeSet{edge: gpio.FallingEdge}, 0, true, ""},
		{"nothing in time", fakeSet{err: timedOut}, 0, false, ""},
		{"the chip is gone", fakeSet{err: errGone}, 0, false, "line GPIO17: waiting for an edge: no such device"},
		{"an event of another kind", fakeSet{}, 0, false, "line GPIO17: the kernel reported an event that is no edge"},
	} {
		l := &Line{"GPIO17", &c.set}
		level, changed, err := l.Wait(time.Second)
		if level != c.level || changed != c.changed || text(err) != c.err || c.set.timeout != time.Second {
			t.Errorf("%s: %v, %v, %v after %v", c.name, level, changed, err, c.set.timeout)
		}
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestWaitNeverWaitsForEver: the driver takes 0 for "for ever".
func TestWaitNeverWaitsForEver(t *testing.T) {
	for _, timeout := range []time.Duration{0, -time.Second} {
		f := fakeSet{err: timedOut}
		if _, _, err := (&Line{"x", &f}).Wait(timeout); err != nil || f.timeout <= 0 || f.timeout > time.Millisecond {
			t.Errorf("Wait(%v) became %v", timeout, f.timeout)
		}
	}
}

func TestReadAndClose(t *testing.T) {
	f := fakeSet{bits: 1}
	l := &Line{"GPIO17", &f}
	if v, err := l.Read(time.Time{}); v != 1 || err != nil {
		t.Errorf("high: %v, %v", v, err)
	}
	f.bits = 0
	if v, err := l.Read(time.Time{}); v != 0 || err != nil {
		t.Errorf("low: %v, %v", v, err)
	}
	f.err = errGone
	if _, err := l.Read(time.Time{}); !errors.Is(err, errGone) {
		t.Errorf("a line that is gone reads as %v", err)
	}
	if err := l.Close(); err != nil || !f.closed {
		t.Error("not released")
	}
}
