package console

import (
	"edged"
	"edged/internal/conf"
	"edged/sinks/encode"
	"edged/sinks/spec"
)

// Config is the [sink.NAME] table of a sink of type "console". It implements spec.Config.
type Config struct {
	Format   string `toml:"format" doc:"ndjson (one JSON object a line) or tuple: (hello,3), the values alone; of a window's rows the groups and aggregates"`
	Headings bool   `toml:"headings" doc:"before the rows of each window a heading with its end, \"Time: 1763632800000 ms\" between two lines, in milliseconds since 1970; before rows without a window one a delivery, with the time of the newest"`
}

var _ spec.Config = (*Config)(nil)

// Default returns the defaults.
func Default() *Config { return &Config{Format: "ndjson"} }

// Check reports what is wrong with the values.
func (c *Config) Check(t *conf.Table, _ spec.Env) { t.OneOf("format", c.Format, "ndjson", "tuple") }

// Limits keep a delivery at what one write to a terminal is good for.
func (*Config) Limits() spec.Limits { return spec.Limits{Rows: 1000, Bytes: 1 << 20} }

// Encoding is that of the lines. Headings stand between them, and depend on what was printed before.
func (c *Config) Encoding() string {
	if c.Format == "tuple" {
		return encode.Tuple
	}
	return encode.NDJSON
}

// New makes the sink. It writes to env.Stdout.
func (c *Config) New(env spec.Env) edged.Sink {
	s := &sink{out: env.Stdout, lines: encode.AppendNDJSON}
	if c.Format == "tuple" {
		s.lines = encode.AppendTuple
	}
	if c.Headings {
		s.heads = &headings{}
	}
	return s
}
