package main

import (
	"os"
	"testing"

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
	})
}
