package file

import (
	"path/filepath"
	"strings"

	"edged"
	"edged/internal/conf"
	"edged/sinks/encode"
	"edged/sinks/spec"
)

// Config is the [sink.NAME] table of a sink of type "file". It implements spec.Config.
type Config struct {
	Path       string        `toml:"path" doc:"the file to append to; relative to data_dir"`
	Format     string        `toml:"format" doc:"ndjson (one JSON object a line) or csv (one stream only, with a header line)"`
	RotateSize conf.Size     `toml:"rotate_size" doc:"start a new file after the write that passes this size; \"\" = never"`
	RotateAge  conf.Duration `toml:"rotate_age" doc:"start a new file at the first write this long after the file's first; \"\" = never"`
	Compress   string        `toml:"compress" doc:"of closed files: none, zstd or gzip"`
	KeepFiles  int           `toml:"keep_files" doc:"closed files to keep, older ones are removed; 0 = all"`
}

var _ spec.Config = (*Config)(nil)

// Default returns the defaults.
func Default() *Config { return &Config{Format: "ndjson", Compress: "none"} }

// Limits bound a delivery by what one buffered write is worth. It leaves at once: the file is there.
func (c *Config) Limits() spec.Limits { return spec.Limits{Rows: 50_000, Bytes: 4 << 20} }

// Encoding is that of the lines; how files are rotated and compressed changes nothing in them.
func (c *Config) Encoding() string {
	if c.Format == "csv" {
		return encode.CSV
	}
	return encode.NDJSON
}

// New makes the sink. It writes where path says, following symbolic links.
func (c *Config) New(env spec.Env) edged.Sink {
	return newSink(options{
		path:       c.absolute(env),
		csv:        c.Format == "csv",
		rotateSize: int64(c.RotateSize),
		rotateAge:  c.RotateAge.D(),
		packing:    packingNamed(c.Compress),
		keep:       c.KeepFiles,
	}, disk{}, env)
}

func (c *Config) absolute(env spec.Env) string {
	if filepath.IsAbs(c.Path) {
		return filepath.Clean(c.Path)
	}
	return filepath.Join(env.DataDir, c.Path)
}

// Check reports what is wrong with the values, and a place that cannot be written to. It writes nothing.
func (c *Config) Check(t *conf.Table, env spec.Env) {
	t.OneOf("format", c.Format, "ndjson", "csv")
	t.OneOf("compress", c.Compress, "none", "zstd", "gzip")
	if c.Format == "csv" && len(env.Streams) > 1 {
		t.Errorf("format", "format: csv takes one stream, and this sink gets %s; give each a file of its own, or use ndjson",
			strings.Join(env.Streams, ", "))
	}
	if c.RotateAge < 0 || c.RotateAge > 0 && c.RotateAge.D().Seconds() < 1 {
		t.Errorf("rotate_age", "rotate_age: want 1s or more, or \"\" for never")
	}
	if c.KeepFiles < 0 {
		t.Errorf("keep_files", "keep_files: want 0 (all) or more")
	}
	if c.RotateSize == 0 && c.RotateAge == 0 {
		const idle = "%s is about closed files, and without rotate_size or rotate_age this sink closes none"
		if packingNamed(c.Compress) != nil {
			t.Notef("compress", idle, "compress")
		}
		if c.KeepFiles > 0 {
			t.Notef("keep_files", idle, "keep_files")
		}
	}
	c.checkPath(t, env)
}
