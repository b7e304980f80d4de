package power

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"edged/test/harness"
	"edged/test/load"
	"edged/test/need"
)

// config has a raw file that rotates and is compressed every second or so, beside windows of one second.
var config = strings.NewReplacer("window = \"tumbling 2s\"", "window = \"tumbling 1s\"", "checkpoint_interval = \"2s\"", "checkpoint_interval = \"1s\"").Replace(
	load.With(load.With(load.Config, "sink.archive", "rotate_size = \"150KiB\"\ncompress = \"gzip\""), "batch", "interval = \"200ms\""))

// run is a record of a gateway at work, and what was published to it.
type run struct {
	*Record
	sent   sent
	before []message // acknowledged before the record began
}

// in makes a gateway whose data directory lies in a file system of Mount.
func in(t testing.TB, root string) *harness.Edged {
	t.Helper()
	e := harness.New(t, "")
	e.Dir = filepath.Join(root, "data")
	e.Configure(config)
	return e
}

// record runs a gateway under load, each client publishing n messages, stops it, and starts and stops it once more. tag is that of
// the program. base is what lies there before; nil is nothing.
func record(t testing.TB, tag string, n, round int, base *Image, before []message) *run {
	t.Helper()
	strace := need.Tool(t, "strace")
	root := Mount(t)
	if base != nil {
		base.Lay(t, root)
	}
	e := in(t, root)
	e.Tag = tag
	r := &run{sent: sent{all: map[packet]message{}}, before: before}
	var texts []string
	life := func(work func()) {
		texts = append(texts, filepath.Join(t.TempDir(), "strace"))
		e.Wrap = Strace(strace, texts[len(texts)-1])
		e.Start()
		work()
		end(t, e)
	}
	life(func() {
		r.sent.clients(t, e.Broker, n, round)
		e.AtRest(20 * time.Second)
	})
	if base == nil {
		life(func() { r.sent.clients(t, e.Broker, n/5, round+1) })
	}
	var err error
	if r.Record, err = readAll(texts, root, base); err != nil {
		t.Fatal(err)
	}
	is := Look(t, root)
	r.settle(is)
	if d := r.After(Fate{Cut: r.Lines, Data: DataKept, Names: NamesKept}).Differs(is); d != "" {
		t.Fatalf("the record is not what happened: %s", d)
	}
	return r
}

// end stops the gateway that runs below strace, which a signal of its own would end before the record is whole.
func end(t testing.TB, e *harness.Edged) {
	t.Helper()
	pid := e.PID()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		t.Fatal(err)
	}
	var child int
	if n, _ := fmt.Sscan(string(text), &child); n != 1 {
		t.Fatalf("strace has no child: %q", text)
	}
	if err := syscall.Kill(child, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := e.Wait(20 * time.Second); err != nil {
		t.Fatalf("the gateway did not end well: %v", err)
	}
}

// readAll reads the records of several lives as one.
func readAll(texts []string, root string, base *Image) (*Record, error) {
	var all []io.Reader
	for _, path := range texts {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		all = append(all, f)
	}
	return Read(root, base, all...)
}
