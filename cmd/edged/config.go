package main

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"edged/configs"
	"edged/internal/conf"
)

// configFlag is the flag of every command that needs the configuration.
type configFlag struct {
	Config string `help:"Configuration file. Default: edged.toml in $$CONFIGURATION_DIRECTORY, else /etc/edged/edged.toml." placeholder:"FILE"`
}

// errSaid is the error of a command that has printed what is wrong already. errMistaken is the errSaid of a configuration that will be as wrong at the
// next start; without it, a file or directory is not as it should be, which may change by itself, as with a disk that is mounted late.
var (
	errSaid     = errors.New("said")
	errMistaken = fmt.Errorf("%w: mistakes in the configuration", errSaid)
)

// read reads the text of the configuration.
func (f configFlag) read() (file string, text []byte, err error) {
	if file = f.Config; file == "" {
		file = configs.FindFile()
	}
	if text, err = os.ReadFile(file); err != nil {
		hint := ""
		if f.Config == "" {
			hint = "; name another with --config FILE, or try edged demo, which needs none"
		}
		return "", nil, fmt.Errorf("the configuration cannot be read: %w%s", err, hint)
	}
	return file, text, nil
}

// load reads the configuration. Every mistake is printed, one a line; notes are printed only if there are none. What a place does not allow at present is a
// mistake for edged check, which asks for notes. A gateway starts all the same: the part concerned says so and waits, and everything else works.
func (f configFlag) load(w world, notes bool) (*configs.Config, error) {
	file, text, err := f.read()
	if err != nil {
		return nil, err
	}
	return parse(w, file, text, notes)
}

// parse is load of a text that was read.
func parse(w world, file string, text []byte, notes bool) (c *configs.Config, err error) {
	c, problems, remarks := configs.Load(file, text)
	for _, p := range problems {
		fmt.Fprintln(w.err, p)
	}
	if slices.ContainsFunc(problems, func(p conf.Problem) bool { return !p.Place }) {
		return nil, errMistaken
	}
	if len(problems) > 0 {
		return nil, errSaid
	}
	if !notes {
		return c, nil
	}
	for _, n := range remarks {
		if n.Place {
			fmt.Fprintln(w.err, n)
			err = errSaid
		}
	}
	for _, n := range remarks {
		if err == nil {
			fmt.Fprintf(w.out, "%s:%d: note: %s\n", n.File, n.Line, n.Msg)
		}
	}
	return c, err
}

type checkCmd struct{ configFlag }

// Run implements the command.
func (c *checkCmd) Run(w world) error {
	cfg, err := c.load(w, true)
	if err == nil {
		fmt.Fprintf(w.out, "%s: ok\n", cfg.File)
	}
	return err
}
