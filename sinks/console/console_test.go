package console

import (
	"bytes"
	"errors"
	"sync"
	"testing"

	"edged"
	"edged/sinks/encode"
	"edged/sinks/sinktest"
	"edged/sinks/spec"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// terminal holds what was printed, and can be stopped as with Ctrl-S, or refuse.
type terminal struct {
	mu     sync.Mutex
	text   bytes.Buffer
	writes int
	stop   func()
	err    error
}

func (o *terminal) Write(p []byte) (int, error) {
	o.mu.Lock()
	stop := o.stop
	o.mu.Unlock()
	if stop != nil {
		stop()
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err != nil {
		return 0, o.err
	}
	o.writes++
	return o.text.Write(p)
}

func TestConformance(t *testing.T) {
	sinktest.Run(t, func(t *testing.T) sinktest.Harness {
		o := &terminal{}
		return sinktest.Harness{
			Guarantee: sinktest.AtLeastOnce,
			New:       func() edged.Sink { return Default().New(spec.Env{Stdout: o}) },
			Encode:    encode.AppendNDJSON,
			Arrived: func() []sinktest.Arrival {
				o.mu.Lock()
				defer o.mu.Unlock()
				return []sinktest.Arrival{{Body: bytes.Clone(o.text.Bytes())}}
			},
			Hang: func() (reached <-chan struct{}, release func()) {
				in, out := make(chan struct{}), make(chan struct{})
				once := sync.OnceFunc(func() { close(in) })
				o.mu.Lock()
				defer o.mu.Unlock()
				o.stop = func() { once(); <-out }
				return in, func() { close(out) }
			},
		}
	})
}

func TestATurnIsOneWrite(t *testing.T) {
	o := &terminal{}
	s := Default().New(spec.Env{Stdout: o})
	rows := &edged.Rows{Stream: "s", Names: []string{"v"}, Cells: make([]edged.Value, 2), At: make([]edged.Pos, 2)}
	turn := []edged.Delivery{{Rows: rows}, {Rows: rows}}
	if done, receipt, err := s.Write(t.Context(), turn); done != 2 || receipt != nil || err != nil {
		t.Fatal(done, receipt, err)
	}
	if o.writes != 1 || o.text.String() != "{\"stream\":\"s\"}\n{\"stream\":\"s\"}\n{\"stream\":\"s\"}\n{\"stream\":\"s\"}\n" {
		t.Errorf("%d writes: %q", o.writes, o.text.String())
	}
	o.err = errors.New("broken pipe")
	done, _, err := s.Write(t.Context(), turn)
	if done != 0 || !errors.Is(err, o.err) || edged.ClassOf(err) != edged.Retryable {
		t.Error(done, err)
	}
	o.err = nil
	if done, _, err := s.Write(t.Context(), turn); done != 2 || err != nil {
		t.Error(done, err)
	}
}
