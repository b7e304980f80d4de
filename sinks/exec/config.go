package exec

import (
	osexec "os/exec"
	"path/filepath"
	"strings"
	"time"

	"edged"
	"edged/internal/child"
	"edged/internal/conf"
	"edged/sinks/encode"
	"edged/sinks/spec"
)

// Config is the [sink.NAME] table of a sink of type "exec". It implements spec.Config.
type Config struct {
	Command []string      `toml:"command" doc:"program and arguments, without a shell: a name is looked for in PATH, a relative path below data_dir. It gets one JSON object a line and writes one line for each, in order: ok (the row is durable), error TEXT (it becomes a dead letter) or retry TEXT (it comes again later)"`
	Dir     string        `toml:"dir" doc:"working directory; relative to data_dir, which is the default"`
	Env     conf.Pairs    `toml:"env" doc:"environment variables, in addition to those of edged and EDGED_SINK, the sink's name"`
	Timeout conf.Duration `toml:"timeout" doc:"how long the program may be silent while rows wait for its answer; then it is killed, and they are given to its next life"`
}

var _ spec.Config = (*Config)(nil)

// Default returns the defaults.
func Default() *Config { return &Config{Timeout: conf.Duration(30 * time.Second)} }

// Limits bound what a program is given at a time. It leaves at once: the program is there.
func (c *Config) Limits() spec.Limits { return spec.Limits{Rows: 1000, Bytes: 1 << 20} }

// Encoding is that of the lines.
func (c *Config) Encoding() string { return encode.NDJSON }

// New makes the sink. The program is started by the first Write.
func (c *Config) New(env spec.Env) edged.Sink { return newSink(c, env) }

// name is the program's, for messages. The arguments are not shown: there may be secrets in them.
func (c *Config) name() string { return filepath.Base(c.Command[0]) }

// look finds the program.
func (c *Config) look(dataDir string) (path string, err error) {
	path = c.Command[0]
	if strings.Contains(path, "/") {
		path = below(dataDir, path)
	}
	return osexec.LookPath(path)
}

func below(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// environ is the program's environment.
func (c *Config) environ(sink string) []string {
	out := append(child.Environ(), "EDGED_SINK="+sink)
	for _, p := range c.Env {
		out = append(out, p.Key+"="+p.Value)
	}
	return out
}
