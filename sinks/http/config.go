package http

import (
	"edged"
	"edged/internal/conf"
	"edged/sinks/encode"
	"edged/sinks/http/body"
	"edged/sinks/post"
	"edged/sinks/spec"
)

// Config is the [sink.NAME] table of a sink of type "http". It implements spec.Config.
type Config struct {
	URL         string      `toml:"url" doc:"where to post, http:// or https://"`
	Format      string      `toml:"format" doc:"ndjson (application/x-ndjson) or json (one array)"`
	Body        body.Config `toml:"body" doc:"templates for an API that wants a shape of its own; then format has no meaning. What is between {{ and }} is replaced, as in Go's text/template"`
	ContentType string      `toml:"content_type" doc:"of the request; \"\" = that of the format, application/json with body"`
	post.Config
}

// Basic is a user and the file with the password.
type Basic = post.Basic

var (
	_ spec.Config = (*Config)(nil)
	_ spec.Names  = (*Config)(nil)
)

// Default returns the defaults.
func Default() *Config {
	return &Config{Format: "ndjson", Body: body.Default(), Config: post.Default()}
}

// Check reports what is wrong with the values, and files that cannot be read. It connects to nothing.
func (c *Config) Check(t *conf.Table, env spec.Env) {
	t.OneOf("format", c.Format, "ndjson", "json")
	c.checkShape(t)
	c.Config.Check(t, env, c.URL)
}

// Encoding is that of the body before compression.
func (c *Config) Encoding() string {
	switch {
	case c.Body.Set():
		return c.Body.Encoding()
	case c.Format == "json":
		return encode.JSON
	}
	return encode.NDJSON
}

// New makes the sink.
func (c *Config) New(env spec.Env) edged.Sink {
	shape := c.shape()
	return &sink{shape: shape, poster: post.New(post.Options{Config: &c.Config, Env: env, Kind: "http", URL: c.URL, Type: shape.contentType, Scheme: "Bearer"})}
}
