package sinktest

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"edged"
	"edged/sinks/encode"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const defectVariable = "EDGED_SINKTEST_DEFECT"

// TestASoundSinkPasses runs the suite on sinks in memory: a file-like one, and one that knows keys. With the variable set
// they have that defect.
func TestASoundSinkPasses(t *testing.T) {
	for name, g := range map[string]Guarantee{"exactly once": ExactlyOnce, "keyed": Keyed, "at least once": AtLeastOnce} {
		t.Run(name, func(t *testing.T) {
			Run(t, func(t *testing.T) Harness { return newMemory(g, os.Getenv(defectVariable)).harness() })
		})
	}
}

// TestEveryDefectIsSeen runs the test above in a process of its own for each defect, where it must fail.
func TestEveryDefectIsSeen(t *testing.T) {
	for _, defect := range []string{"loses", "reorders", "doubles", "other bytes", "keeps rows", "ignores the context", "counts what was refused", "never goes on"} {
		t.Run(defect, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestASoundSinkPasses$", "-rapid.nofailfile")
			cmd.Env = append(os.Environ(), defectVariable+"="+defect)
			out, err := cmd.CombinedOutput()
			if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || !strings.Contains(string(out), "--- FAIL: TestASoundSinkPasses") {
				t.Errorf("the suite passed a sink that %s: %v\n%s", defect, err, out)
			}
		})
	}
}

// memory is a target, and a sink that is as simple as the contract allows.
type memory struct {
	guarantee Guarantee
	defect    string
	taken     []Arrival
	left      int // deliveries until it refuses; < 0: all
	kept      []*edged.Rows
}

var errRefused = errors.New("refused")

func newMemory(g Guarantee, defect string) *memory {
	return &memory{guarantee: g, defect: defect, left: -1}
}

func (m *memory) harness() Harness {
	return Harness{
		Guarantee: m.guarantee,
		New:       func() edged.Sink { return m },
		Encode:    encode.AppendNDJSON,
		Arrived:   func() []Arrival { return m.taken },
		Refuse: func(after []edged.Delivery) func() {
			m.left = len(after)
			return func() { m.left = -1 }
		},
	}
}

// Open takes back what no receipt covers, if it is to hold every row once.
func (m *memory) Open(_ context.Context, receipt []byte, _ []edged.Delivery) error {
	if m.guarantee == ExactlyOnce && m.defect != "doubles" {
		n, _ := binary.Uvarint(receipt)
		m.taken = m.taken[:n]
	}
	return nil
}

func (m *memory) Write(ctx context.Context, turn []edged.Delivery) (done int, receipt []byte, err error) {
	if m.defect == "never goes on" {
		return 0, []byte{0}, nil
	}
	if m.defect == "keeps rows" && len(turn) > 0 {
		m.kept = append(m.kept, turn[0].Rows)
	}
	for i, d := range turn {
		if err = ctx.Err(); m.defect == "ignores the context" {
			err = nil
		}
		if m.left == 0 && err == nil {
			err = errRefused
		}
		if err != nil {
			if m.defect == "counts what was refused" {
				i++
			}
			return i, m.receipt(), err
		}
		if m.left > 0 {
			m.left--
		}
		m.take(d)
	}
	return len(turn), m.receipt(), nil
}

func (m *memory) take(d edged.Delivery) {
	body := encode.AppendNDJSON(nil, d.Rows)
	switch {
	case m.defect == "loses" && len(m.taken) == 5:
		body = nil
	case m.defect == "other bytes" && bytes.Contains(body, []byte(`"number":1,`)):
		body = append(body, '\n')
	}
	m.taken = append(m.taken, Arrival{d.Key, body})
	if n := len(m.taken); m.defect == "reorders" && n > 1 {
		m.taken[n-1], m.taken[n-2] = m.taken[n-2], m.taken[n-1]
	}
}

func (m *memory) receipt() []byte {
	if m.guarantee != ExactlyOnce {
		return nil
	}
	return binary.AppendUvarint(nil, uint64(len(m.taken)))
}

func (m *memory) Close() error { return nil }
