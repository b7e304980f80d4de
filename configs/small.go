package configs

import "edged/internal/conf"

// Log is the [log] table.
type Log struct {
	Level  string `toml:"level" doc:"debug, info, warn or error"`
	Format string `toml:"format" doc:"text or json"`
}

func defaultLog() *Log { return &Log{Level: "info", Format: "text"} }

func loadLog(t *conf.Table) *Log {
	l := defaultLog()
	if t == nil {
		return l
	}
	t.Bind(l)
	t.OneOf("level", l.Level, "debug", "info", "warn", "error")
	t.OneOf("format", l.Format, "text", "json")
	return l
}
