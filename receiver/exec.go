package receiver

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"edged"
	"edged/internal/child"
	"edged/internal/conf"
	"edged/internal/sparse"
)

// Exec is the kind exec: the lines that a program writes to its standard output.
type Exec struct {
	Command []string   `toml:"command" doc:"the program and its arguments; there is no shell between. A name without / is looked for in edged's PATH, a relative path from dir"`
	Dir     string     `toml:"dir" doc:"the program's working directory, relative to data_dir; \"\" is data_dir"`
	Env     conf.Pairs `toml:"env" doc:"environment variables of the program, besides edged's own"`
	Topic   lineTopic  `toml:"topic" doc:"topic of the messages; {name} is the receiver's name"`
	MaxLine conf.Size  `toml:"max_line" doc:"a longer line is left out as a whole, and counted"`
	Restart string     `toml:"restart" doc:"always: the program is started again whenever it has ended, after 2s at first, and up to 1m if it keeps ending within a minute; on_failure: only if its exit status is not 0; never"`
	Ack     bool       `toml:"ack" doc:"tell the program on its standard input, in order, what became of its lines, which are counted from 1 at each start: \"ok N\" when line N is stored (or was empty), \"too long N\" if it was left out. A program that keeps its lines until then, and sends those without \"ok\" again when it is started, loses none. Without it standard input is empty, and what was in flight at a crash is lost"`

	name  string
	grace time.Duration // between SIGTERM and SIGKILL
}

// execGrace is a part of the time that a stop of edged may take.
const execGrace = 1500 * time.Millisecond

// DefaultExec returns the defaults.
func DefaultExec() *Exec {
	return &Exec{Topic: "lines/{name}", MaxLine: 64 << 10, Restart: "always", grace: execGrace}
}

// Fields implements Config.
func (c *Exec) Fields() []any { return []any{c} }

// Check implements Config.
func (c *Exec) Check(t *conf.Table, env Env) {
	c.name = env.Name
	c.Topic.check(t, "{name}")
	checkMaxLine(t, c.MaxLine)
	t.OneOf("restart", c.Restart, "always", "on_failure", "never")
	for _, e := range c.Env {
		if e.Key == "" || strings.ContainsAny(e.Key, "=\x00") || strings.Contains(e.Value, "\x00") {
			t.Errorf("env", "env: %q cannot be a variable of the environment", e.Key)
		}
	}
	if t.Bad("command") {
		return
	}
	if len(c.Command) == 0 || c.Command[0] == "" {
		t.Errorf("command", `[%s] needs command, for example command = ["/usr/local/bin/readings", "--every", "10s"]`, t.Title())
		return
	}
	for _, word := range c.Command {
		if strings.Contains(word, "\x00") {
			t.Errorf("command", "command: %q has a NUL character", word)
			return
		}
	}
	// Only this receiver needs them, and they may be there later.
	if fi, err := os.Stat(c.dir(env)); err != nil || !fi.IsDir() {
		if c.Dir != "" { // data_dir is made at the start
			t.Awaitf("dir", "dir: %s is not a directory that edged can enter; make it, or correct dir", c.dir(env))
		}
	} else if _, err := c.program(env); err != nil {
		t.Awaitf("command", "command: %v", err)
	}
}

func (c *Exec) dir(env Env) string { return inDir(env.DataDir, c.Dir) }

// program finds the program. It is looked for at each start: it may be installed later.
func (c *Exec) program(env Env) (path string, err error) {
	name := c.Command[0]
	if strings.Contains(name, "/") && !filepath.IsAbs(name) {
		name = filepath.Join(c.dir(env), name)
	}
	if path, err = exec.LookPath(name); err != nil {
		return "", fmt.Errorf("the program cannot be started: %w; install it, or correct command", err)
	}
	return path, nil
}

// Covers implements Config.
func (c *Exec) Covers() []string { return []string{c.Topic.covers(c.name)} }

// New implements Config.
func (c *Exec) New(env Env) edged.Receiver {
	return &execs{Exec: *c, env: env, say: sparse.New(env.Log, notLogged), met: newLineMeters(env)}
}

// environment is the program's.
func (c *Exec) environment() []string {
	vars := child.Environ()
	for _, e := range c.Env {
		vars = append(vars, e.Key+"="+e.Value)
	}
	return vars
}
