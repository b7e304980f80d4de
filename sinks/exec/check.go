package exec

import (
	"errors"
	"io/fs"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strings"

	"edged/internal/conf"
	"edged/sinks/spec"
)

// Check reports what is wrong with the values, and a program or directory that is not there: that may change, so a gateway
// starts, and this sink waits. Nothing is run.
func (c *Config) Check(t *conf.Table, env spec.Env) {
	if c.Timeout <= 0 {
		t.Errorf("timeout", "timeout: want a duration above 0; a program that stands still would do so for ever")
	}
	for _, p := range c.Env {
		if p.Key == "" || strings.ContainsAny(p.Key, "=\x00") || strings.Contains(p.Value, "\x00") {
			t.Errorf("env", "env: %q cannot be a variable: its name needs a character, without =, and neither name nor value has zero bytes", p.Key)
		}
	}
	if dir := below(env.DataDir, c.Dir); filepath.Clean(dir) != filepath.Clean(env.DataDir) { // that one is judged by the daemon
		if at, err := os.Stat(dir); err != nil || !at.IsDir() {
			t.Awaitf("dir", "dir: %s is no directory that can be used; make it, or correct dir", dir)
		}
	}
	switch {
	case t.Bad("command"):
		return
	case len(c.Command) == 0 || c.Command[0] == "":
		t.Errorf("command", "[%s] needs command: a program and its arguments, such as command = [\"/usr/local/bin/store\", \"-v\"]", t.Title())
		return
	case strings.Contains(strings.Join(c.Command, ""), "\x00"):
		t.Errorf("command", "command: no argument can have a zero byte")
		return
	}
	if len(c.Command) == 1 && strings.ContainsAny(c.Command[0], " \t") {
		if _, err := c.look(env.DataDir); err != nil {
			t.Errorf("command", "command: there is no program %q; it is no shell line: write the arguments as items of their own, or command = [\"sh\", \"-c\", …]", c.Command[0])
			return
		}
	}
	if _, err := c.look(env.DataDir); err != nil {
		t.Awaitf("command", "command: %s", c.missing(env.DataDir, err))
	}
}

// missing says why a program cannot be run, and what to do.
func (c *Config) missing(dataDir string, err error) string {
	path := c.Command[0]
	switch {
	case errors.Is(err, osexec.ErrNotFound) && !strings.Contains(path, "/"):
		return "there is no program " + path + " in PATH (" + os.Getenv("PATH") + "); install it, or give its whole path"
	case errors.Is(err, fs.ErrPermission):
		return below(dataDir, path) + " may not be run by this user; make it executable (chmod +x)"
	}
	return "there is no program " + below(dataDir, path) + "; install it, or correct command"
}
