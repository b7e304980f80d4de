package exec

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"edged"
	"edged/internal/conf"
	"edged/test/await"
)

// TestNeverReads: neither a full pipe nor a wait for answers outlives the context.
func TestNeverReads(t *testing.T) {
	for name, text := range map[string]string{"little": "x", "more than a pipe holds": strings.Repeat("x", 1<<20)} {
		t.Run(name, func(t *testing.T) {
			e := quiet(t)
			s := open(t, config(`: >up; sleep 1000`), e)
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error)
			go func() { _, _, err := s.Write(ctx, []edged.Delivery{delivery(0, 3, text)}); ended <- err }()
			await.Soon(t, "it runs", func() bool { _, err := os.Stat(filepath.Join(e.DataDir, "up")); return err == nil })
			cancel()
			if err := <-ended; !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			began := time.Now()
			s.Close()
			if d := time.Since(began); d > graceTerm {
				t.Errorf("SIGTERM was not tried at once: Close took %v", d)
			}
		})
	}
}

// TestALineThatWasCut: a program that was cut off in the middle of a line does not see an end of its input there.
func TestALineThatWasCut(t *testing.T) {
	e := quiet(t)
	s := open(t, config(`dd bs=1 count=10 2>/dev/null >begin; : >up; cat >rest; : >ended`), e)
	ctx, cancel := context.WithCancel(t.Context())
	wrote := make(chan error)
	go func() {
		_, _, err := s.Write(ctx, []edged.Delivery{delivery(0, 1, strings.Repeat("x", 1<<20))})
		wrote <- err
	}()
	await.Soon(t, "it reads", func() bool { _, err := os.Stat(filepath.Join(e.DataDir, "up")); return err == nil })
	cancel()
	<-wrote
	s.Close()
	if _, err := os.Stat(filepath.Join(e.DataDir, "ended")); err == nil {
		t.Error("it took a part of a row for the whole")
	}
}

// TestSlowButSteady: timeout is about silence; a delivery may take longer.
func TestSlowButSteady(t *testing.T) {
	c := config(`while read -r row; do sleep 0.3; echo ok; done`)
	c.Timeout = conf.Duration(time.Second)
	if err := deliver(t, open(t, c, quiet(t)), delivery(0, 5, "")); err != nil {
		t.Fatal(err)
	}
}

// TestSilence: after timeout without an answer the program is killed, whatever it does with signals.
func TestSilence(t *testing.T) {
	e := quiet(t)
	c := config(`trap '' TERM; read -r row; echo ok; while :; do sleep 1; done`)
	c.Timeout = conf.Duration(200 * time.Millisecond)
	s := open(t, c, e)
	err := deliver(t, s, delivery(0, 3, ""))
	if err == nil || edged.ClassOf(err) != edged.Retryable {
		t.Fatal(err)
	}
	if want := "sh: no answer within 200ms, with 2 rows unanswered; it was killed, and they are given to its next life"; err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if s.run != nil {
		t.Error("it still counts as running")
	}
}
