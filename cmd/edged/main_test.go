package main

import (
	"fmt"
	"net"
	"os"
	"testing"
	"time"

	"edged/test/await"
	"edged/test/selfsigned"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"edged": func() { os.Exit(edged(os.Args[1:], world{os.Stdout, os.Stderr})) },
	})
}

// TestScripts runs the command line as it is typed: exact messages, exit codes.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		UpdateScripts:       os.Getenv("EDGED_UPDATE") == "1",
		Setup: func(e *testscript.Env) error {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				return err
			}
			defer l.Close()
			e.Setenv("PORT", fmt.Sprint(l.Addr().(*net.TCPAddr).Port)) // nobody listens on it
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"until": until, "fill": fill, "certificate": certificate, "zero": zero},
	})
}

// until runs a command until it succeeds.
func until(ts *testscript.TestScript, _ bool, args []string) {
	for end := time.Now().Add(await.Patience); ; time.Sleep(20 * time.Millisecond) {
		err := ts.Exec(args[0], args[1:]...)
		if err == nil {
			return
		}
		if time.Now().After(end) {
			ts.Fatalf("until %v: %v", args, err)
		}
	}
}

// fill puts values of the environment into a file: $PORT.
func fill(ts *testscript.TestScript, _ bool, args []string) {
	for _, name := range args {
		ts.Check(os.WriteFile(ts.MkAbs(name), []byte(os.Expand(ts.ReadFile(name), ts.Getenv)), 0o600))
	}
}

// zero fills a file with zeros.
func zero(ts *testscript.TestScript, _ bool, args []string) {
	for _, name := range args {
		ts.Check(os.WriteFile(ts.MkAbs(name), make([]byte, len(ts.ReadFile(name))), 0o600))
	}
}

// certificate writes a certificate that is valid until tomorrow, or was until yesterday, and its key: CERT KEY [expired].
func certificate(ts *testscript.TestScript, _ bool, args []string) {
	until := time.Now().Add(24 * time.Hour)
	if len(args) == 3 {
		until = time.Now().Add(-24 * time.Hour)
	}
	cert, key, err := selfsigned.New(until)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), cert, 0o600))
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), key, 0o600))
}
