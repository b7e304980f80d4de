package influx

import (
	"strings"

	"edged/internal/conf"
	"edged/sinks/spec"
	"edged/sinks/template"
)

// Check reports what is wrong with the values, and files that cannot be read. It connects to nothing.
func (c *Config) Check(t *conf.Table, env spec.Env) {
	c.own, c.keys = t.Has("tags"), env.Keys
	t.OneOf("api", c.API, "v1", "v2", "v3")
	t.OneOf("precision", c.Precision, "ns", "us", "ms", "s")
	t.OneOf("time", c.Time, "window_start", "window_end")
	t.Unique("tags", c.Tags)
	if _, err := template.Parse(c.Measurement); err != nil {
		t.Errorf("measurement", "measurement: %q: %v", c.Measurement, err)
	} else if c.Measurement == "" {
		t.Errorf("measurement", `measurement: name the measurement, for example measurement = "{stream}"`)
	}
	if u := c.Config.Check(t, env, c.URL); u != nil && strings.HasSuffix(strings.TrimSuffix(u.Path, "/"), "/write") {
		t.Errorf("url", "url: leave out the path of the API: it is put behind url by api = %q", c.API)
	}
	for _, tag := range c.Tags {
		if tag == c.Time || tag == "time" || tag == "stream" {
			t.Itemf("tags", "tags: %s is no column that can be a tag", tag)
		}
	}
	c.checkPlace(t)
}

// Named implements spec.Names.
func (c *Config) Named() []spec.Named {
	return append(spec.NamedIn("measurement", c.template().Columns(), true), spec.NamedIn("tags", c.Tags, false)...)
}

// checkPlace looks whether the keys that say where to write to are those of the API.
func (c *Config) checkPlace(t *conf.Table) {
	if t.Bad("api") {
		return
	}
	needs, foreign := "database", []string{"org", "bucket"}
	if c.API == "v2" {
		needs, foreign = "bucket", []string{"database"}
	}
	have := map[string]string{"org": c.Org, "bucket": c.Bucket, "database": c.Database}
	if have[needs] == "" {
		t.Errorf(needs, "[%s] needs %s, where its rows are written (api = %q)", t.Title(), needs, c.API)
	}
	for _, key := range foreign {
		if t.Has(key) {
			t.Errorf(key, "%s: api = %q has no such thing; it wants %s", key, c.API, needs)
		}
	}
	if c.API == "v2" && c.Org == "" {
		t.Notef("org", "[%s] names no org: InfluxDB 2 wants one, other servers with this API may not", t.Title())
	}
}
